"""Permissions on Azure: built-in roles given to identities and groups."""

from __future__ import annotations

from enum import StrEnum

from pulumi import Input, ResourceOptions
from pulumi_azure_native import authorization

from components.spec import Place


class Role(StrEnum):
    """Built-in roles by id (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles)."""

    NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    KEY_VAULT_CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"
    KEY_VAULT_CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
    CLUSTER_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
    CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"


def grant(
    name: str,
    role: Role,
    *,
    to: Input[str],
    kind: str,
    scope: Input[str],
    place: Place,
    opts: ResourceOptions,
) -> authorization.RoleAssignment:
    """Give a role on `scope` to a principal. `kind` (ServicePrincipal or Group) is said so that Azure does not look the
    principal up, which fails for an identity that is seconds old."""
    return authorization.RoleAssignment(
        name,
        scope=scope,
        principal_id=to,
        principal_type=kind,
        role_definition_id=(f"/subscriptions/{place.account}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        opts=opts,
    )
