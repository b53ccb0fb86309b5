"""What components hand to each other and to other stacks: capabilities, never a cloud's name.

Frozen dataclasses of apply-time values. `stacks.exports` turns each into stack outputs and back, so a slice that reads
another through a StackReference works with exactly the same types. Hence what crosses slices (networks, clusters) has
Outputs only: while a region does not exist yet, a preview of what builds on it must be able to hold "unknown" anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import Output


@dataclass(frozen=True, kw_only=True)
class NetworkOutputs:
    """A region's network."""

    id: Output[str]
    """What siblings attach to: VPC id, VNet resource id, or the VPC network's self link."""
    scope: Output[str]
    """The container that siblings are created in: account id, resource group name, or project id."""
    public_subnets: Output[list[str]]
    private_subnets: Output[list[str]]
    """Ids of the subnets for nodes, in the order of the zones."""
    data_subnets: Output[list[str]]
    """Ids of the subnets for data services."""
    control_subnets: Output[list[str]]
    """Ids of the subnets that hold the API server's addresses inside the network."""
    pod_subnets: Output[Mapping[str, str]]
    """Zone -> id of the subnet that its pods take addresses from; empty where pods have no subnets of their own."""
    node_security_groups: Output[list[str]]
    """Security groups that nodes must carry; empty where the firewall is bound to the subnets."""
    control_security_groups: Output[list[str]]
    """The same for the API server's addresses."""
    data_security_groups: Output[list[str]]
    """The same for data services."""


@dataclass(frozen=True, kw_only=True)
class IdentityEndpoint:
    """Where pods fetch credentials of their cloud identity; default-deny egress must leave it open."""

    cidr: str
    ports: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ClusterOutputs:
    """A Kubernetes cluster and what workload identities hang on."""

    name: Output[str]
    """The physical name, as the cloud's own tools want it."""
    version: Output[str]
    """The control plane's version as the cloud reports it."""
    kubeconfig: Output[str]
    """Secret. Signs in by the cloud's exec plugin: it holds no credential that expires."""
    oidc_issuer: Output[str]
    """Issuer of the tokens of service accounts."""
    identity_anchor: Output[str]
    """What `CloudApi.workload_identity` binds tenants to: the tenants' role ARN, the resource group of identities, or
    the workload identity pool (`projects/NUMBER/locations/global/workloadIdentityPools/POOL`)."""
    identity_endpoints: Output[tuple[IdentityEndpoint, ...]]
    storage_class: Output[str]
    """Name of the storage class for zone-bound, expandable disks. Azure and Google Cloud encrypt all disks; AWS those
    of accounts that encrypt by default."""


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentityOutputs:
    """A Kubernetes service account's identity in the cloud, without any key."""

    principal: Output[str]
    """Whom cloud permissions are granted to: a role ARN, an identity's principal id, or a `principal://` name."""
    annotations: Output[Mapping[str, str]]
    """What the ServiceAccount must bear for the cloud to recognise it."""
    pod_labels: Mapping[str, str]
    """What pods must bear for the identity to be injected."""


@dataclass(frozen=True, kw_only=True)
class TenantOutputs:
    """A tenant's place in one cluster."""

    namespace: Output[str]
    service_account: Output[str]
    """The service account that the tenant's workloads run as."""
    principal: Output[str]
    """Whom cloud permissions of the tenant's workloads are granted to."""
    pod_labels: Mapping[str, str]
    """What the tenant's pods must bear for their identity to be injected."""


@dataclass(frozen=True, kw_only=True)
class PlatformOutputs:
    """What a cluster holds for everyone."""

    system_namespace: Output[str]
    priority_classes: Output[list[str]]
    """Names of the priority classes that pods may ask for, highest first."""
