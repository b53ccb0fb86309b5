"""Identities of workloads on Azure: user-assigned managed identities, reached by federation."""

from __future__ import annotations

from pulumi import ResourceOptions
from pulumi_azure_native import managedidentity

from components.azure.identities import identity
from components.labels import Labels
from components.naming import stem
from components.outputs import ClusterOutputs, WorkloadIdentityOutputs
from components.spec import Place

AUDIENCE = "api://AzureADTokenExchange"
"""What Entra asks of tokens that it exchanges
(https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust-user-assigned-managed-identity)."""


def workload_identity(
    name: str,
    *,
    cluster: ClusterOutputs,
    namespace: str,
    service_account: str,
    place: Place,
    labels: Labels,
    opts: ResourceOptions,
) -> WorkloadIdentityOutputs:
    """Give a service account a managed identity that trusts the cluster's issuer for this one subject.

    One identity a service account, as Azure has neither session tags nor principals of workloads; an identity takes 20
    federated credentials at most, so sharing one would only move the limit.
    """
    made = identity(name, group=cluster.identity_anchor, place=place, labels=labels, opts=opts)
    managedidentity.FederatedIdentityCredential(
        stem("azure/federated-credential", name),
        resource_group_name=cluster.identity_anchor,
        resource_name_=made.name,
        issuer=cluster.oidc_issuer,
        subject=f"system:serviceaccount:{namespace}:{service_account}",
        audiences=[AUDIENCE],
        opts=opts,
    )
    return WorkloadIdentityOutputs(
        principal=made.principal_id,
        annotations=made.client_id.apply(lambda client: {"azure.workload.identity/client-id": client}),
        pod_labels={"azure.workload.identity/use": "true"},
    )
