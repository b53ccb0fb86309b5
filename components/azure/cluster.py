"""A Kubernetes cluster on Azure: AKS."""

from __future__ import annotations

from base64 import b64decode

import yaml
from pulumi import InvokeOutputOptions, Output, ResourceOptions
from pulumi_azure_native import containerservice as aks
from pulumi_azure_native import resources

from components.azure import keys, nodes
from components.azure.audit import audit
from components.azure.identities import identity
from components.azure.labels import encode
from components.azure.roles import Role, grant
from components.kubeconfig import Server, SignIn, kubeconfig
from components.labels import Labels
from components.naming import brief, physical, stem
from components.ordering import once_made
from components.outputs import ClusterOutputs, IdentityEndpoint, NetworkOutputs
from components.spec import ClusterSpec, NetworkSpec, Place, PoolKind

_ENTRA_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The application that stands for every AKS API server with Entra sign-in
(https://azure.github.io/kubelogin/concepts/aks.html)."""

_ENTRA = tuple(IdentityEndpoint(cidr=cidr, ports=(443,)) for cidr in ("20.190.128.0/18", "40.126.0.0/18"))
"""login.microsoftonline.com, where pods exchange their token
(https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges, id 56)."""


def cluster(
    name: str,
    *,
    spec: ClusterSpec,
    addresses: NetworkSpec,
    network: NetworkOutputs,
    place: Place,
    labels: Labels,
    opts: ResourceOptions,
) -> ClusterOutputs:
    """AKS with its API server inside the virtual network, public only when `authorized_ranges` say so.

    Nobody has a local account: people and programs sign in with Entra. The admin groups administer the cluster; others
    need a role for Kubernetes on the cluster or above it, and that includes whoever deploys what goes into the cluster.
    Patches and node images come by themselves, minor versions come with `spec.version`.
    """
    physical_name = physical("azure/aks-cluster", f"{labels.project}-{name}")
    control = identity(f"{name}-control", group=network.scope, place=place, labels=labels, opts=opts)
    key = keys.cluster_key(name, identity=control, network=network, place=place, labels=labels, opts=opts)
    join = grant(
        f"{name}-join-network",
        Role.NETWORK_CONTRIBUTOR,
        to=control.principal_id,
        kind="ServicePrincipal",
        scope=network.id,
        place=place,
        opts=opts,
    )
    made = aks.ManagedCluster(
        name,
        resource_name_=physical_name,
        resource_group_name=network.scope,
        location=place.location,
        node_resource_group=physical("azure/node-resource-group", f"{physical_name}-nodes"),
        dns_prefix=physical("azure/dns-prefix", physical_name),
        kubernetes_version=spec.version,
        sku={"name": "Base", "tier": "Standard"},
        support_plan="KubernetesOfficial",
        identity={
            "type": aks.ResourceIdentityType.USER_ASSIGNED,
            # AKS checks at once that its identity may join the subnets.
            "user_assigned_identities": [once_made(control.id, join)],
        },
        enable_rbac=True,
        disable_local_accounts=True,
        aad_profile={
            "managed": True,
            "enable_azure_rbac": True,
            "admin_group_object_ids": list(spec.admin_groups),
            "tenant_id": control.tenant_id,
        },
        api_server_access_profile=_access(spec, network),
        network_profile=_networking(addresses),
        oidc_issuer_profile={"enabled": True},
        security_profile={
            "workload_identity": {"enabled": True},
            "azure_key_vault_kms": {
                "enabled": True,
                "key_id": key.version_url,
                "key_vault_network_access": "Private",
                "key_vault_resource_id": key.vault_id,
            },
            "image_cleaner": {"enabled": True, "interval_hours": 168},
        },
        auto_upgrade_profile={"upgrade_channel": "patch", "node_os_upgrade_channel": "NodeImage"},
        agent_pool_profiles=[
            nodes.pool(
                name,
                PoolKind.SYSTEM,
                spec=spec.system_pool,
                version=spec.version,
                network=network,
                place=place,
                labels=labels,
            )
        ],
        tags=encode(labels, name),
        opts=ResourceOptions.merge(
            opts,
            # The cluster autoscaler's. The rest of the list is ours, with nothing but the system pool in it: an update
            # sends the list, and AKS keeps the pools that are not in it, but refuses it when it names one that is gone
            # (https://github.com/pulumi/pulumi-azure-native/issues/1686 and /2719). So ignoring the whole list would
            # not only freeze the system pool: after a refresh it would send the general pool on for ever.
            ResourceOptions(ignore_changes=["agentPoolProfiles[0].count"]),
        ),
    )
    nodes.general_pool(
        name,
        spec=spec.general_pool,
        version=spec.version,
        # Not the output, which is unknown in the preview of any change to the cluster: a new name is a new pool.
        cluster=physical_name,
        network=network,
        place=place,
        labels=labels,
        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[made])),
    )
    audit(
        name,
        cluster=made,
        network=network,
        days=spec.log_retention_days,
        place=place,
        labels=labels,
        opts=opts,
    )
    for group in spec.admin_groups:
        grant(
            f"{name}-admin-{brief(group)}",
            Role.CLUSTER_USER,
            to=group,
            kind="Group",
            scope=made.id,
            place=place,
            opts=opts,
        )
    identities = resources.ResourceGroup(
        stem("azure/resource-group", f"{name}-identities"),
        location=place.location,
        tags=encode(labels, f"{name}-identities"),
        opts=opts,
    )
    return ClusterOutputs(
        name=made.name,
        version=made.current_kubernetes_version,
        kubeconfig=kubeconfig(physical_name, _server(physical_name, made, network, opts), _SIGN_IN),
        oidc_issuer=made.oidc_issuer_profile.apply(_issuer),
        identity_anchor=identities.name,
        identity_endpoints=Output.from_input(_ENTRA),
        storage_class=Output.from_input("managed-csi"),
    )


_SIGN_IN = SignIn(
    command="kubelogin",
    # As whom `az` is signed in; CI says otherwise by AAD_LOGIN_METHOD in its environment.
    args=["get-token", "--login", "azurecli", "--server-id", _ENTRA_SERVER],
    hint="Install kubelogin: https://azure.github.io/kubelogin/install.html",
)


def _access(spec: ClusterSpec, network: NetworkOutputs) -> aks.ManagedClusterAPIServerAccessProfileArgsDict:
    """The API server has addresses in the control subnet. Nobody runs commands in the cluster by way of ARM."""
    access: aks.ManagedClusterAPIServerAccessProfileArgsDict = {
        "enable_vnet_integration": True,
        "subnet_id": network.control_subnets[0],
        "enable_private_cluster": not spec.authorized_ranges,
        "disable_run_command": True,
    }
    if spec.authorized_ranges:
        access["authorized_ip_ranges"] = [str(one) for one in spec.authorized_ranges]
    else:
        access["private_dns_zone"] = "system"
        access["enable_private_cluster_public_fqdn"] = False
    return access


def _networking(addresses: NetworkSpec) -> aks.ContainerServiceNetworkProfileArgsDict:
    """Pods on an overlay, policies by Cilium, out by the NAT gateway of the subnet."""
    return {
        "network_plugin": "azure",
        "network_plugin_mode": "overlay",
        "network_dataplane": "cilium",
        "network_policy": "cilium",
        "outbound_type": "userAssignedNATGateway",
        "load_balancer_sku": "standard",
        "ip_families": ["IPv4"],
        "pod_cidr": str(addresses.pods),
        "service_cidr": str(addresses.services),
        "dns_service_ip": str(addresses.services[10]),
    }


def _server(
    physical_name: str, made: aks.ManagedCluster, network: NetworkOutputs, opts: ResourceOptions
) -> Output[Server]:
    """Asked of AKS, as no output of the cluster holds its certificate authority.

    By the names that the cluster was given, not by its outputs: those are unknown in the preview of any change to it,
    and everything downstream would be. The dependency keeps the question until there is a cluster to ask.
    """
    answer = aks.list_managed_cluster_user_credentials_output(
        resource_group_name=network.scope,
        resource_name=physical_name,
        format="exec",
        opts=InvokeOutputOptions(parent=opts.parent, depends_on=[made]),
    )
    return answer.apply(lambda credentials: _read_server(credentials.kubeconfigs[0].value))


def _read_server(encoded: str) -> Server:
    """Server and certificate authority out of AKS's own kubeconfig, in base64."""
    found = yaml.safe_load(b64decode(encoded))["clusters"][0]["cluster"]
    return Server(url=found["server"], authority=found["certificate-authority-data"])


def _issuer(profile: object) -> str:
    url = getattr(profile, "issuer_url", None)
    if not isinstance(url, str):
        raise ValueError("AKS made a cluster without an OIDC issuer, although one was asked for")
    return url
