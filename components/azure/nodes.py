"""Nodes of an AKS cluster."""

from __future__ import annotations

from pulumi_azure_native import containerservice as aks

from components import catalogue
from components.azure.labels import encode
from components.labels import Labels
from components.outputs import NetworkOutputs
from components.spec import Place, PoolSpec


def system_pool(
    name: str, *, spec: PoolSpec, version: str, network: NetworkOutputs, place: Place, labels: Labels
) -> aks.ManagedClusterAgentPoolProfileArgsDict:
    """The pool that AKS cannot make a cluster without, for what the cluster itself and the platform need.

    Over all zones, without public addresses, nobody signs in by SSH, measured boot. Disks are encrypted as all disks of
    Azure are; encryption at the host as well needs a feature that a subscription has to be registered for, and is left
    to those who have it. The cluster autoscaler owns the number of nodes between the limits.
    """
    return {
        "name": "system",
        "mode": "System",
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
        "node_labels": {"meridian.dev/pool": "system"},
        "tags": encode(labels, f"{name}-system"),
    }
