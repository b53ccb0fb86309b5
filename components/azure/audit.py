"""Where the control plane's logs go."""

from __future__ import annotations

from pulumi import ResourceOptions
from pulumi_azure_native import containerservice as aks
from pulumi_azure_native import monitor, operationalinsights

from components.azure.labels import encode
from components.labels import Labels
from components.naming import stem
from components.outputs import NetworkOutputs
from components.spec import Place

_LOGS = (
    "kube-apiserver",
    "kube-audit",  # reads too: who looked at a Secret is a question of every audit
    "guard",  # who signed in
    "kube-controller-manager",
    "kube-scheduler",
    "cluster-autoscaler",
)
"""https://learn.microsoft.com/azure/aks/monitor-aks-reference#resource-logs"""

_SHORTEST = 30
"""Days that a workspace keeps logs at least; up to there they cost nothing
(https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure)."""


def audit(
    name: str,
    *,
    cluster: aks.ManagedCluster,
    network: NetworkOutputs,
    days: int,
    place: Place,
    labels: Labels,
    opts: ResourceOptions,
) -> None:
    """Send the logs of the control plane to a workspace of their own, which keeps them `days`, at least 30."""
    workspace = operationalinsights.Workspace(
        stem("azure/log-workspace", f"{name}-control"),
        resource_group_name=network.scope,
        location=place.location,
        sku={"name": "PerGB2018"},
        retention_in_days=max(days, _SHORTEST),
        features={"disable_local_auth": True, "enable_log_access_using_only_resource_permissions": True},
        tags=encode(labels, f"{name}-control"),
        opts=opts,
    )
    monitor.DiagnosticSetting(
        f"{name}-control",
        name="control-plane",
        resource_uri=cluster.id,
        workspace_id=workspace.id,
        log_analytics_destination_type="Dedicated",
        logs=[{"category": category, "enabled": True} for category in _LOGS],
        opts=opts,
    )
