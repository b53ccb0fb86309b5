"""Managed identities, with outputs that stay known."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import Input, InvokeOutputOptions, Output, ResourceOptions
from pulumi_azure_native import managedidentity

from components.azure.labels import encode
from components.labels import Labels
from components.naming import stem
from components.spec import Place


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A user-assigned managed identity."""

    id: Output[str]
    name: Output[str]
    principal_id: Output[str]
    """Whom roles are granted to."""
    client_id: Output[str]
    """What workloads name when they ask for a token."""
    tenant_id: Output[str]


def identity(name: str, *, group: Input[str], place: Place, labels: Labels, opts: ResourceOptions) -> Identity:
    """Make an identity and ask Azure who it is.

    The provider keeps nothing but a resource's name and id through the preview of a change to it. Taken from the
    resource, the principal would be unknown as soon as a tag changes, and every role that it was granted would preview
    its replacement. Asked for by name, it is known whenever the identity exists.
    """
    made = managedidentity.UserAssignedIdentity(
        stem("azure/user-identity", name),
        resource_group_name=group,
        location=place.location,
        tags=encode(labels, name),
        opts=opts,
    )
    found = managedidentity.get_user_assigned_identity_output(
        resource_group_name=group,
        resource_name=made.name,
        opts=InvokeOutputOptions(parent=opts.parent, provider=opts.provider),
    )
    return Identity(
        id=made.id,
        name=made.name,
        principal_id=found.principal_id,
        client_id=found.client_id,
        tenant_id=found.tenant_id,
    )
