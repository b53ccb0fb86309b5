"""The key that a cluster's secrets are encrypted with."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import Output, ResourceOptions
from pulumi_azure_native import keyvault

from components.azure.identities import Identity
from components.azure.labels import encode
from components.azure.roles import Role, grant
from components.labels import Labels
from components.naming import stem
from components.ordering import once_made
from components.outputs import NetworkOutputs
from components.spec import Place


@dataclass(frozen=True, kw_only=True)
class ClusterKey:
    """A key that an identity may use."""

    version_url: Output[str]
    """Names the version: AKS takes no key without one. Handed out when the identity may use it."""
    vault_id: Output[str]


def cluster_key(
    name: str,
    *,
    identity: Identity,
    network: NetworkOutputs,
    place: Place,
    labels: Labels,
    opts: ResourceOptions,
) -> ClusterKey:
    """A key in a vault that no public network reaches; AKS makes itself a private endpoint to it.

    The vault makes a new version every year. AKS stays with the version it was given until the next update of the
    stack, which finds the new one by a refresh; old versions never expire, since etcd still holds what they encrypted
    (https://learn.microsoft.com/azure/aks/use-kms-etcd-encryption#rotate-existing-keys-in-a-private-key-vault). A
    deleted vault keeps its name for 90 days, hence the random part of it.
    """
    logical = stem("azure/key-vault", name)
    vault = keyvault.Vault(
        logical,
        resource_group_name=network.scope,
        location=place.location,
        properties={
            "tenant_id": identity.tenant_id,
            "sku": {"family": "A", "name": keyvault.SkuName.STANDARD},
            "enable_rbac_authorization": True,
            "enable_soft_delete": True,
            "soft_delete_retention_in_days": 90,
            "enable_purge_protection": True,
            "public_network_access": "Disabled",
            "network_acls": {"default_action": "Deny", "bypass": "AzureServices"},
        },
        tags=encode(labels, name),
        opts=opts,
    )
    key = keyvault.Key(
        f"{name}-secrets",
        key_name="secrets",
        resource_group_name=network.scope,
        vault_name=vault.name,
        properties={
            "kty": "RSA",
            "key_size": 3072,
            "key_ops": ["encrypt", "decrypt"],
            "rotation_policy": {
                "lifetime_actions": [
                    {
                        "action": {"type": keyvault.KeyRotationPolicyActionType.ROTATE},
                        "trigger": {"time_after_create": "P1Y"},
                    }
                ]
            },
        },
        tags=encode(labels, f"{name}-secrets"),
        opts=ResourceOptions.merge(
            opts,
            ResourceOptions(
                # ARM makes keys but changes none: a PUT that differs, in tags too, is refused with
                # KeyCreationParametersDidNotMatchExistingKey (https://github.com/Azure/bicep/issues/6113).
                ignore_changes=["tags", "properties"],
                # The provider deletes keys through the vault's own endpoint, which no public network reaches. The key
                # goes with its vault.
                retain_on_delete=True,
            ),
        ),
    )
    # The second role is for the private endpoint.
    roles = {"use-key": Role.KEY_VAULT_CRYPTO_USER, "reach-key": Role.KEY_VAULT_CONTRIBUTOR}
    grants = [
        grant(
            f"{name}-{verb}",
            role,
            to=identity.principal_id,
            kind="ServicePrincipal",
            scope=vault.id,
            place=place,
            opts=opts,
        )
        for verb, role in roles.items()
    ]
    return ClusterKey(version_url=once_made(key.key_uri_with_version, *grants), vault_id=vault.id)
