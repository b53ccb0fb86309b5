"""A Kubernetes cluster on Google Cloud: GKE."""

from __future__ import annotations

import re

from pulumi import Output, ResourceOptions
from pulumi_gcp import container, projects

from components import catalogue
from components.gcp import keys, nodes
from components.gcp.audit import audit
from components.gcp.labels import encode
from components.gcp.network import PODS, SERVICES
from components.kubeconfig import Server, SignIn, kubeconfig
from components.labels import Labels
from components.naming import brief, physical
from components.outputs import ClusterOutputs, IdentityEndpoint, NetworkOutputs
from components.spec import ClusterSpec, NetworkSpec, Place, PoolKind

_METADATA_SERVER = IdentityEndpoint(cidr="169.254.169.254/32", ports=(80,))
"""https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy#network-policy-and-workload-identity"""

_LOGS = ("SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")

_SIGN_IN = SignIn(
    command="gke-gcloud-auth-plugin",
    needs_cluster=True,
    hint="Install the plugin: https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl",
)


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
    """Regional GKE with private nodes and no public address of the API server unless `authorized_ranges` say otherwise.

    People and programs reach it by its DNS endpoint, where IAM asks for container.clusters.connect before anything gets
    to the API server. Audit logs go to a bucket of their own, with the logs of the control plane.
    """
    physical_name = physical("gcp/gke-cluster", f"{labels.project}-{name}")
    agent = projects.ServiceIdentity(
        f"{name}-gke", project=place.account, service="container.googleapis.com", opts=opts
    )
    key = keys.cluster_key(name, agent=agent, place=place, labels=labels, opts=opts)
    account = nodes.node_account(name, place=place, opts=opts)
    pool = f"{place.account}.svc.id.goog"

    made = container.Cluster(
        name,
        name=physical_name,
        location=place.location,
        node_locations=list(catalogue.region(place.cloud, place.location).zones),
        network=network.id,
        subnetwork=network.private_subnets[0],
        networking_mode="VPC_NATIVE",
        ip_allocation_policy={"cluster_secondary_range_name": PODS, "services_secondary_range_name": SERVICES},
        datapath_provider="ADVANCED_DATAPATH",
        default_max_pods_per_node=110,
        release_channel={"channel": "REGULAR"},
        min_master_version=spec.version,
        maintenance_policy=_maintenance(),
        private_cluster_config={
            "enable_private_nodes": True,
            "enable_private_endpoint": not spec.authorized_ranges,
            "private_endpoint_subnetwork": network.control_subnets[0],
        },
        # Without a list of ranges everybody may come; with an empty one nobody but the nodes.
        master_authorized_networks_config={
            "cidr_blocks": [{"cidr_block": str(one)} for one in spec.authorized_ranges],
            "gcp_public_cidrs_access_enabled": False,
        },
        control_plane_endpoints_config={
            # "External" traffic is all that comes by this endpoint, from inside the network too.
            "dns_endpoint_config": {"allow_external_traffic": True},
            "ip_endpoints_config": {"enabled": True},
        },
        database_encryption={"state": "ENCRYPTED", "key_name": key.id},
        workload_identity_config={"workload_pool": pool},
        master_auth={"client_certificate_config": {"issue_client_certificate": False}},
        enable_legacy_abac=False,
        rbac_binding_config={
            "enable_insecure_binding_system_authenticated": False,
            "enable_insecure_binding_system_unauthenticated": False,
        },
        anonymous_authentication_config={"mode": "LIMITED"},
        enable_shielded_nodes=True,
        logging_config={"enable_components": list(_LOGS)},
        # GKE makes no cluster without a pool: this one is made with our account, because the default one may be
        # switched off, and removed at once.
        remove_default_node_pool=True,
        initial_node_count=1,
        node_config={"service_account": account},
        deletion_protection=False,
        resource_labels=encode(labels, name),
        opts=ResourceOptions.merge(
            opts,
            # The removed pool's settings: GKE answers with those of whatever pool is first.
            ResourceOptions(ignore_changes=["nodeConfig"]),
        ),
    )
    for kind in PoolKind:
        nodes.pool(
            name,
            kind,
            spec=spec.pool(kind),
            cluster=made,
            account=account,
            place=place,
            labels=labels,
            opts=opts,
        )
    _administrators(name, physical_name, spec, place, opts)
    audit(
        name,
        cluster=physical_name,
        unique=key.ring,
        days=spec.log_retention_days,
        place=place,
        opts=opts,
    )

    server = made.control_plane_endpoints_config.apply(_server)
    number = agent.email.apply(_project_number)
    return ClusterOutputs(
        name=made.name,
        version=made.master_version,
        kubeconfig=kubeconfig(physical_name, server, _SIGN_IN),
        oidc_issuer=Output.format(
            "https://container.googleapis.com/v1/projects/{0}/locations/{1}/clusters/{2}",
            place.account,
            place.location,
            made.name,
        ),
        identity_anchor=Output.format("projects/{0}/locations/global/workloadIdentityPools/{1}", number, pool),
        identity_endpoints=Output.from_input((_METADATA_SERVER,)),
        storage_class=Output.from_input("standard-rwo"),
    )


def _maintenance() -> container.ClusterMaintenancePolicyArgsDict:
    """GKE patches on weekend nights (UTC). Minor versions come with `spec.version`, unless support has ended."""
    return {
        "recurring_window": {
            "start_time": "2026-01-03T01:00:00Z",
            "end_time": "2026-01-03T07:00:00Z",
            "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
        },
        "maintenance_exclusions": [
            {
                "exclusion_name": "minor-versions",
                "start_time": "2026-01-01T00:00:00Z",
                "exclusion_options": {
                    "scope": "NO_MINOR_UPGRADES",
                    "end_time_behavior": "UNTIL_END_OF_SUPPORT",
                },
            }
        ],
    }


def _administrators(name: str, physical_name: str, spec: ClusterSpec, place: Place, opts: ResourceOptions) -> None:
    """Let every admin group, a Google group, do everything in this cluster and nothing in others of the project.

    GKE's permissions are granted to projects; a condition on the cluster's name narrows them
    (https://cloud.google.com/iam/docs/conditions-resource-attributes#resource-name).
    """
    path = f"projects/{place.account}/locations/{place.location}/clusters/{physical_name}"
    for group in spec.admin_groups:
        projects.IAMMember(
            f"{name}-admin-{brief(group)}",
            project=place.account,
            role="roles/container.admin",
            member=f"group:{group}",
            condition={
                "title": physical_name,
                "description": "This cluster and what is in it",
                "expression": f'resource.name == "{path}" || resource.name.startsWith("{path}/")',
            },
            opts=opts,
        )


def _server(config: object) -> Server:
    """The DNS endpoint, whose certificate everybody trusts."""
    endpoint = getattr(getattr(config, "dns_endpoint_config", None), "endpoint", None)
    if not isinstance(endpoint, str):
        raise ValueError("GKE made a cluster without a DNS endpoint, although one was asked for")
    return Server(url=f"https://{endpoint}")


def _project_number(agent: str) -> str:
    """Out of the address of GKE's agent, service-NUMBER@…: workload identity wants the number, we are given the id
    (https://cloud.google.com/iam/docs/service-agents)."""
    found = re.match(r"service-(\d+)@", agent)
    if found is None:
        raise ValueError(f"the address of GKE's service agent has no project number: {agent}")
    return found.group(1)
