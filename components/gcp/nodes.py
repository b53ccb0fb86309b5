"""Nodes of a GKE cluster."""

from __future__ import annotations

from math import ceil

from pulumi import Output, ResourceOptions
from pulumi_gcp import container, projects, serviceaccount

from components import catalogue
from components.gcp.labels import encode
from components.labels import Labels
from components.naming import physical, stem
from components.ordering import once_made
from components.spec import Place, PoolKind, PoolSpec

_TAINTS: dict[PoolKind, list[container.NodePoolNodeConfigTaintArgsDict]] = {
    PoolKind.SYSTEM: [{"key": "components.gke.io/gke-managed-components", "value": "true", "effect": "NO_SCHEDULE"}],
    PoolKind.GENERAL: [],
}
"""What GKE runs for itself tolerates this one, and not CriticalAddonsOnly throughout
(https://docs.cloud.google.com/kubernetes-engine/docs/how-to/workload-separation#create_a_cluster_with_node_taints)."""


def node_account(name: str, *, place: Place, opts: ResourceOptions) -> Output[str]:
    """Address of a service account that may do what nodes must and nothing else, handed out when it may.

    The default one of Compute Engine may edit the whole project
    (https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster#use_least_privilege_sa).
    """
    account = serviceaccount.Account(
        f"{name}-nodes",
        account_id=physical("gcp/service-account", f"{name}-nodes"),
        display_name=f"Nodes of {name}",
        opts=opts,
    )
    roles = ("roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader")
    grants = [
        projects.IAMMember(
            f"{name}-nodes-{role.rpartition('/')[2]}",
            project=place.account,
            role=role,
            member=account.member,
            opts=opts,
        )
        for role in roles
    ]
    return once_made(account.email, *grants)


def pool(
    name: str,
    kind: PoolKind,
    *,
    spec: PoolSpec,
    cluster: container.Cluster,
    account: Output[str],
    place: Place,
    labels: Labels,
    opts: ResourceOptions,
) -> container.NodePool:
    """A managed pool over all zones.

    Nodes have no public address, verified boot, a service account of their own and a metadata server that hides it from
    pods. Disks are encrypted as all disks of Google Cloud are. The cluster autoscaler owns the number of nodes between
    the limits, GKE their version: it follows the control plane's.
    """
    zones = len(catalogue.region(place.cloud, place.location).zones)
    return container.NodePool(
        stem("gcp/node-pool", f"{name}-{kind}"),
        cluster=cluster.id,
        location=place.location,
        initial_node_count=ceil(spec.min / zones),
        autoscaling={
            "total_min_node_count": spec.min,
            "total_max_node_count": spec.max,
            "location_policy": "BALANCED",
        },
        management={"auto_repair": True, "auto_upgrade": True},
        upgrade_settings={"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0},
        network_config={"enable_private_nodes": True},
        node_config={
            "machine_type": catalogue.machine(spec.size, place.cloud),
            "image_type": "COS_CONTAINERD",
            "disk_type": "pd-balanced",
            "disk_size_gb": 100,
            "service_account": account,
            "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            "workload_metadata_config": {"mode": "GKE_METADATA"},
            "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
            "metadata": {"disable-legacy-endpoints": "true"},
            "labels": {"meridian.dev/pool": str(kind)},
            "taints": _TAINTS[kind],
            "resource_labels": encode(labels, f"{name}-{kind}"),
        },
        # The first size only; changing it would make a new pool.
        opts=ResourceOptions.merge(opts, ResourceOptions(ignore_changes=["initialNodeCount"])),
    )
