"""A configured provider instance: which account, region or project the calls of one connection mean."""

from __future__ import annotations

import json
import re
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.clouds.errors import CloudError
from sandbox.wire import is_unknown, plain

DEFAULT_ACCOUNT = {"aws": "123456789012", "azure-native": "00000000-0000-4000-8000-000000000001", "gcp": ""}
"""Account of a provider that names none: AWS's documentation account, and a subscription that is nobody's."""

_ROLE = re.compile(r"^arn:[\w-]+:iam::(\d{12}):role/.+$")


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where a provider instance's calls go."""

    package: str
    account: str
    """AWS account id, Azure subscription id or GCP project id."""
    region: str = ""
    zone: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags or labels that the provider adds to everything (defaultTags, defaultLabels)."""

    @property
    def partition(self) -> str:
        """AWS partition, by the region's name."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    @property
    def tenant(self) -> str:
        """Entra tenant of the subscription: the same for all, as in a company."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, "tenant.sandbox"))

    @property
    def project_number(self) -> str:
        """A GCP project's number: twelve digits that follow from its id."""
        return project_number(self.account)


def project_number(project: str) -> str:
    """Twelve digits that follow from a project id and never begin with zero."""
    return str(100_000_000_000 + zlib.crc32(project.encode()) * 97)[:12]


def _structured(value: Any) -> Any:
    """Provider arguments that are not strings travel as JSON text."""
    value = plain(value)
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _aws_account(args: Mapping[str, Any]) -> str:
    roles = args.get("assumeRoles") or ([args["assumeRole"]] if isinstance(args.get("assumeRole"), dict) else [])
    allowed = [str(a) for a in args.get("allowedAccountIds") or ()]
    arn = str(roles[-1].get("roleArn", "")) if roles else ""
    match = _ROLE.match(arn)
    if arn and not match:
        raise CloudError(f"Cannot assume IAM Role: {arn!r} is not a role's ARN")
    account = match.group(1) if match else (allowed[0] if allowed else DEFAULT_ACCOUNT["aws"])
    if allowed and account not in allowed:
        raise CloudError(f"AWS account ID not allowed: {account}")
    if account in {str(a) for a in args.get("forbiddenAccountIds") or ()}:
        raise CloudError(f"AWS account ID not allowed: {account}")
    return account


def configure(package: str, args: Mapping[str, Any]) -> Account:
    """The account that provider arguments select. Raises CloudError for arguments that contradict each other."""
    known = {name: _structured(value) for name, value in args.items() if not is_unknown(value)}
    match package:
        case "aws":
            tags = known.get("defaultTags") or {}
            return Account(
                package=package,
                account=_aws_account(known),
                region=str(known.get("region", "")),
                tags=tags.get("tags") or {} if isinstance(tags, dict) else {},
            )
        case "azure-native":
            account = str(known.get("subscriptionId") or DEFAULT_ACCOUNT[package])
            return Account(package=package, account=account, region=str(known.get("location", "")))
        case _:
            labels = known.get("defaultLabels") or {}
            if str(known.get("addPulumiAttributionLabel", True)).lower() != "false":
                labels = {"goog-pulumi-provisioned": "true", **labels}
            return Account(
                package=package,
                account=str(known.get("project", "")),
                region=str(known.get("region", "")),
                zone=str(known.get("zone", "")),
                tags=labels,
            )
