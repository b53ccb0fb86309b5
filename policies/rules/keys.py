"""Nobody signs in with a key that does not expire: workloads have identities, people have groups (requirement F04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Resource, ResourceRule, Severity
from .settings import Settings
from .values import UNKNOWN, dig

_FEDERATE = "an identity of the workload, bound without keys"

# Resources that are keys, and nothing else.
_KEYS: Mapping[str, str] = {
    "aws:iam/accessKey:AccessKey": "an access key of an IAM user",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential": "a password of an IAM user for one service",
    "aws:iam/sshKey:SshKey": "an SSH key of an IAM user",
    "aws:iam/userLoginProfile:UserLoginProfile": "a console password of an IAM user",
    "gcp:serviceaccount/key:Key": "a key of a service account",
    "gcp:storage/hmacKey:HmacKey": "a HMAC key of a service account",
    "gcp:projects/apiKey:ApiKey": "an API key",
    "azuread:index/applicationPassword:ApplicationPassword": "a password of an application",
    "azuread:index/servicePrincipalPassword:ServicePrincipalPassword": "a password of a service principal",
}


@dataclass(frozen=True)
class _Switch:
    """A property that turns keys off."""

    path: tuple[str, ...]
    value: Any
    what: str
    by_default: bool = False
    """Whether keys are off when the property is left out."""


# Services that hand out keys to whoever may list them, unless told not to. Listing is a call, not a resource, so no
# policy can see it; with keys turned off, what is listed opens nothing.
_SWITCHES: Mapping[str, _Switch] = {
    "azure-native:storage:StorageAccount": _Switch(("allowSharedKeyAccess",), False, "shared keys"),
    "azure-native:containerregistry:Registry": _Switch(("adminUserEnabled",), False, "the admin password", True),
    "azure-native:containerservice:ManagedCluster": _Switch(("disableLocalAccounts",), True, "client certificates"),
    "azure-native:cosmosdb:DatabaseAccount": _Switch(("disableLocalAuth",), True, "account keys"),
    "azure-native:eventhub:Namespace": _Switch(("disableLocalAuth",), True, "shared access keys"),
    "azure-native:servicebus:Namespace": _Switch(("disableLocalAuth",), True, "shared access keys"),
    "azure-native:redisenterprise:Database": _Switch(
        ("accessKeysAuthentication",), "Disabled", "access keys of the cache"
    ),
}


def _secret_token(resource: Resource) -> bool:
    return dig(resource.props, "type") == "kubernetes.io/service-account-token"


def _check(resource: Resource, _: Settings) -> Iterator[str]:
    if what := _KEYS.get(resource.type):
        yield f"is {what}, which never expires by itself"
    if switch := _SWITCHES.get(resource.type):
        set_to = dig(resource.props, *switch.path)
        left_off = set_to is None and switch.by_default
        if set_to is not UNKNOWN and set_to != switch.value and not left_off:
            written = str(switch.value).lower() if isinstance(switch.value, bool) else switch.value
            yield f"{'.'.join(switch.path)} is not {written}, so {switch.what} work"
    if resource.type == "kubernetes:core/v1:Secret" and _secret_token(resource):
        yield "is a token of a service account, which never expires"


NO_LONG_LIVED_KEYS = ResourceRule(
    name="no-long-lived-keys",
    why="A key that does not expire outlives the people and machines it was given to, and most leaks are of such keys.",
    source="CIS AWS 1.3-1.4, CIS GCP 1.4, CIS Azure 3.x (shared key access); requirement F04",
    fix=f"use {_FEDERATE}, and turn keys off where the service has a switch for it",
    severity=Severity.CRITICAL,
    applies=lambda type_, _: type_ in _KEYS or type_ in _SWITCHES or type_ == "kubernetes:core/v1:Secret",
    check=_check,
)
