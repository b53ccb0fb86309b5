"""Identities of workloads on Google Cloud: Workload Identity Federation for GKE."""

from __future__ import annotations

from pulumi import Output, ResourceOptions

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
    """Name a service account as Google Cloud knows it already: permissions can be granted to it directly.

    No resource is made and no Google service account, of which a project has only 100 by default
    (https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity#kubernetes-resources-iam-policies).
    """
    return WorkloadIdentityOutputs(
        principal=Output.format(
            "principal://iam.googleapis.com/{0}/subject/ns/{1}/sa/{2}",
            cluster.identity_anchor,
            namespace,
            service_account,
        ),
        annotations=Output.from_input({}),
        pod_labels={},
    )
