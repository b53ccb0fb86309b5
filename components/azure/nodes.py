"""Nodes of an AKS cluster."""

from __future__ import annotations

from typing import Any

from pulumi import ResourceOptions
from pulumi_azure_native import containerservice as aks

from components import catalogue
from components.azure.labels import encode
from components.labels import Labels
from components.naming import physical
from components.outputs import NetworkOutputs
from components.spec import Place, PoolKind, PoolSpec

_TAINTS: dict[PoolKind, list[str]] = {PoolKind.SYSTEM: ["CriticalAddonsOnly=true:NoSchedule"], PoolKind.GENERAL: []}
"""AKS's own pods tolerate it: it is how AKS wants a system pool kept free of others'
(https://learn.microsoft.com/azure/aks/use-system-pools#system-and-user-node-pools)."""


def pool(
    name: str, kind: PoolKind, *, spec: PoolSpec, version: str, network: NetworkOutputs, place: Place, labels: Labels
) -> aks.ManagedClusterAgentPoolProfileArgsDict:
    """A pool as a cluster lists it. The system pool is made with the cluster, as AKS makes none without.

    Over all zones, without public addresses, nobody signs in by SSH, measured boot. Disks are encrypted as all disks of
    Azure are; encryption at the host as well needs a feature that a subscription has to be registered for, and is left
    to those who have it. The cluster autoscaler owns the number of nodes between the limits.
    """
    return {
        "name": _name(kind, spec),
        "mode": "System" if kind is PoolKind.SYSTEM else "User",
        "type": "VirtualMachineScaleSets",
        "vm_size": catalogue.machine(spec.size, place.cloud),
        # Said, or nodes stay behind when the control plane goes on to the next minor.
        "orchestrator_version": version,
        "os_type": "Linux",
        "os_sku": "AzureLinux",
        "os_disk_type": "Managed",
        "os_disk_size_gb": 128,
        "availability_zones": list(catalogue.region(place.cloud, place.location).zones),
        "vnet_subnet_id": network.private_subnets[0],
        "enable_node_public_ip": False,
        "enable_auto_scaling": True,
        "min_count": spec.min,
        "max_count": spec.max,
        "count": max(spec.min, 1),
        "max_pods": 110,
        "security_profile": {"enable_secure_boot": True, "enable_vtpm": True, "ssh_access": "Disabled"},
        "upgrade_settings": {"max_surge": "33%"},
        "node_labels": {"meridian.dev/pool": str(kind)},
        "node_taints": _TAINTS[kind],
        "tags": encode(labels, f"{name}-{kind}"),
    }


def general_pool(
    name: str,
    *,
    spec: PoolSpec,
    version: str,
    cluster: str,
    network: NetworkOutputs,
    place: Place,
    labels: Labels,
    opts: ResourceOptions,
) -> aks.AgentPool:
    """A pool of its own beside the cluster's list, which AKS lets nobody add to later. `cluster`: its physical name."""
    profile = pool(name, PoolKind.GENERAL, spec=spec, version=version, network=network, place=place, labels=labels)
    # Scale sets are the default; in a resource the word "type" is ARM's, and stands for what the resource itself is.
    settings: dict[str, Any] = {key: value for key, value in profile.items() if key not in ("name", "type")}
    return aks.AgentPool(
        f"{name}-general",
        agent_pool_name=profile["name"],
        resource_group_name=network.scope,
        resource_name_=cluster,
        # The cluster autoscaler's.
        opts=ResourceOptions.merge(opts, ResourceOptions(ignore_changes=["count"])),
        **settings,
    )


def _name(kind: PoolKind, spec: PoolSpec) -> str:
    """AKS makes no pool of a name that is taken, so a general pool of another size gets another name: it can be there
    before the old one goes. It also sorts after the system pool's, by whatever order AKS lists them: the first of the
    list is the one whose count the cluster does not touch."""
    return "system" if kind is PoolKind.SYSTEM else physical("azure/node-pool", f"user-{spec.size}")
