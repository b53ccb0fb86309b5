"""Identities of workloads on AWS: EKS Pod Identity."""

from __future__ import annotations

from pulumi import Output, ResourceOptions
from pulumi_aws import eks

from components.aws.labels import encode
from components.labels import Labels
from components.outputs import ClusterOutputs, WorkloadIdentityOutputs
from components.spec import Place


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
    """Bind a service account to the one role that all tenants of the cluster share.

    A role a tenant would exhaust an account's roles (1,000 by default) before the platform is full. What a tenant may
    do with the shared role is decided by session tags that EKS sets and no pod can change: policies give
    `${aws:PrincipalTag/kubernetes-namespace}` its own prefix, key or table
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html).
    """
    eks.PodIdentityAssociation(
        name,
        cluster_name=cluster.name,
        namespace=namespace,
        service_account=service_account,
        role_arn=cluster.identity_anchor,
        tags=encode(labels, name),
        opts=opts,
    )
    return WorkloadIdentityOutputs(principal=cluster.identity_anchor, annotations=Output.from_input({}), pod_labels={})
