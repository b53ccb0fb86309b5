"""Google Cloud functions."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.clouds import places
from sandbox.clouds.account import project_number
from sandbox.clouds.errors import CloudError
from sandbox.clouds.functions.call import Call, Function
from sandbox.wire import Object, secret

_CHANNELS = {"RAPID": "1.36.2-gke.1024000", "REGULAR": "1.35.8-gke.1036000", "STABLE": "1.35.4-gke.1093000"}
"""Default GKE versions by channel. REGULAR: that channel's feed of 2026-09-17; the others only have the right shape."""


def _project(call: Call, argument: str = "project") -> str:
    project = str(call.args.get(argument) or call.account.account)
    if not project:
        raise CloudError("project: required field is not set")
    return project


def project(call: Call) -> Object:
    """A project; its number follows from its id."""
    name = _project(call, "projectId")
    return {"projectId": name, "name": name, "number": project_number(name), "id": f"projects/{name}", "labels": {}}


def client_config(call: Call) -> Object:
    """Who the provider is signed in as."""
    account = call.account
    token = secret("sandbox-access-token")
    where = f'projects/"{account.account}"/regions/"{account.region}"/zones/"{account.zone}"'
    return {
        "project": account.account,
        "region": account.region,
        "zone": account.zone,
        "accessToken": token,
        "id": where,
    }


def engine_versions(call: Call) -> Object:
    """GKE versions on offer."""
    wanted = str(call.args.get("versionPrefix") or "")
    versions = sorted({v for v in _CHANNELS.values() if v.startswith(wanted)}, reverse=True)
    latest = versions[0] if versions else ""
    return {
        "id": call.account.account,
        "project": _project(call),
        "defaultClusterVersion": _CHANNELS["REGULAR"],
        "latestMasterVersion": latest,
        "latestNodeVersion": latest,
        "validMasterVersions": versions,
        "validNodeVersions": versions,
        "releaseChannelDefaultVersion": _CHANNELS,
        "releaseChannelLatestVersion": _CHANNELS,
    }


def zones(call: Call) -> Object:
    """The zones of a region."""
    if problem := places.unknown_region("gcp", call.region):
        raise CloudError(problem)
    return {
        "names": places.zones("gcp", call.region),
        "project": _project(call),
        "region": call.region,
        "id": call.region,
    }


def _named(token: str) -> Function:
    def look_up(call: Call) -> Object:
        name = call.args.get("name")
        wanted = str(call.args.get("location") or call.args.get("region") or "")
        missing = f"googleapi: Error 404: {token} '{name}' was not found, notFound"
        found = call.first(token, lambda r: r.outputs.get("name") == name and wanted in (r.location, ""), missing)
        return {**found.outputs, "id": found.key.id}

    return look_up


FUNCTIONS: Mapping[str, Function] = {
    "gcp:organizations/getProject:getProject": project,
    "gcp:organizations/getClientConfig:getClientConfig": client_config,
    "gcp:container/getEngineVersions:getEngineVersions": engine_versions,
    "gcp:compute/getZones:getZones": zones,
    "gcp:container/getCluster:getCluster": _named("gcp:container/cluster:Cluster"),
    "gcp:compute/getNetwork:getNetwork": _named("gcp:compute/network:Network"),
    "gcp:compute/getSubnetwork:getSubnetwork": _named("gcp:compute/subnetwork:Subnetwork"),
}
