"""AWS functions."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from sandbox.clouds import places
from sandbox.clouds.errors import CloudError
from sandbox.clouds.functions.call import Call, Function
from sandbox.wire import Object

_CLUSTER = "aws:eks/cluster:Cluster"
_DNS = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}


def caller_identity(call: Call) -> Object:
    """Who the provider is signed in as."""
    account = call.account.account
    arn = f"arn:{call.account.partition}:sts::{account}:assumed-role/sandbox/sandbox"
    return {"accountId": account, "arn": arn, "userId": "AROASANDBOXSANDBOXSA:sandbox", "id": account}


def partition(call: Call) -> Object:
    """The partition that the region belongs to."""
    name = call.account.partition
    dns = _DNS[name]
    return {"partition": name, "dnsSuffix": dns, "reverseDnsPrefix": ".".join(reversed(dns.split("."))), "id": name}


def region(call: Call) -> Object:
    """A region by name, or the provider's."""
    name = str(call.args.get("name") or call.region)
    if problem := places.unknown_region("aws", name):
        raise CloudError(problem)
    endpoint = f"ec2.{name}.{_DNS[call.account.partition]}"
    return {"region": name, "name": name, "description": name, "endpoint": endpoint, "id": name}


def availability_zones(call: Call) -> Object:
    """The zones of a region."""
    names = [n for n in places.zones("aws", call.region) if n not in (call.args.get("excludeNames") or ())]
    ids = [places.zone_id(name) for name in names]
    return {"names": names, "zoneIds": ids, "groupNames": [call.region], "id": call.region, "region": call.region}


def policy_document(call: Call) -> Object:
    """An IAM policy document as JSON text, in the spelling of the AWS provider."""
    version = call.args.get("version") or "2012-10-17"
    document: Object = {"Version": version}
    if call.args.get("policyId"):
        document["Id"] = call.args["policyId"]
    sources = [json.loads(text).get("Statement", []) for text in call.args.get("sourcePolicyDocuments") or ()]
    statements = [s for source in sources for s in (source if isinstance(source, list) else [source])]
    statements += [_statement(s, version) for s in call.args.get("statements") or ()]
    for text in call.args.get("overridePolicyDocuments") or ():
        for override in json.loads(text).get("Statement", []):
            statements = [s for s in statements if not s.get("Sid") or s.get("Sid") != override.get("Sid")] + [override]
    document["Statement"] = statements
    text = json.dumps(document, indent=2)
    minified = json.dumps(document, separators=(",", ":"))
    return {"json": text, "minifiedJson": minified, "id": str(zlib.crc32(text.encode())), "version": version}


def _one_or_many(values: Any) -> Any:
    items = sorted(values) if isinstance(values, list) else values
    return items[0] if isinstance(items, list) and len(items) == 1 else items


def _principals(blocks: list[Mapping[str, Any]]) -> Any:
    if len(blocks) == 1 and blocks[0]["type"] == "*" and blocks[0]["identifiers"] == ["*"]:
        return "*"
    merged: dict[str, list[str]] = {}
    for block in blocks:
        merged.setdefault(block["type"], []).extend(block["identifiers"])
    return {kind: _one_or_many(values) for kind, values in merged.items()}


def _statement(given: Mapping[str, Any], version: str) -> Object:
    out: Object = {}
    if given.get("sid"):
        out["Sid"] = given["sid"]
    out["Effect"] = given.get("effect") or "Allow"
    for theirs, ours in (
        ("actions", "Action"),
        ("notActions", "NotAction"),
        ("resources", "Resource"),
        ("notResources", "NotResource"),
    ):
        if given.get(theirs):
            out[ours] = _one_or_many(given[theirs])
    for theirs, ours in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if given.get(theirs):
            out[ours] = _principals(given[theirs])
    conditions: dict[str, dict[str, Any]] = {}
    for condition in given.get("conditions") or ():
        conditions.setdefault(condition["test"], {})[condition["variable"]] = _one_or_many(condition["values"])
    if conditions:
        out["Condition"] = conditions
    return out


def cluster(call: Call) -> Object:
    """An EKS cluster by name."""
    name = call.args.get("name")
    missing = f"ResourceNotFoundException: No cluster found for name: {name}."
    found = call.first(_CLUSTER, lambda r: r.key.id == name and r.location == call.region, missing)
    return {**found.outputs, "id": found.key.id}


def addon_version(call: Call) -> Object:
    """The version of an EKS add-on for a Kubernetes version."""
    name, kubernetes = call.args.get("addonName"), call.args.get("kubernetesVersion")
    version = f"v{kubernetes}.0-eksbuild.1"
    return {"id": name, "addonName": name, "kubernetesVersion": kubernetes, "version": version, "region": call.region}


FUNCTIONS: Mapping[str, Function] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getPartition:getPartition": partition,
    "aws:index/getRegion:getRegion": region,
    "aws:index/getAvailabilityZones:getAvailabilityZones": availability_zones,
    "aws:iam/getPolicyDocument:getPolicyDocument": policy_document,
    "aws:eks/getCluster:getCluster": cluster,
    "aws:eks/getAddonVersion:getAddonVersion": addon_version,
}
