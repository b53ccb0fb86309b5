"""A Kubernetes cluster on AWS: EKS."""

from __future__ import annotations

from pulumi import Output, ResourceOptions
from pulumi_aws import cloudwatch, eks

from components.aws import addons, iam, keys, nodes
from components.aws.labels import encode
from components.kubeconfig import Server, SignIn, kubeconfig
from components.labels import Labels
from components.naming import brief, physical
from components.outputs import ClusterOutputs, IdentityEndpoint, NetworkOutputs
from components.spec import ClusterSpec, NetworkSpec, Place, PoolKind

_ADMINISTRATOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_RETENTION = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Days that CloudWatch Logs accepts
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html)."""

_POD_IDENTITY_AGENT = IdentityEndpoint(cidr="169.254.170.23/32", ports=(80,))
"""https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html"""


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
    """EKS with managed nodes, reached from inside the VPC only unless `authorized_ranges` say otherwise.

    The cluster has a written name, because EKS derives the name of its log group from it. Its administrators are those
    of `spec.admin_groups` and nobody else, also not whoever happened to create it: the role that deploys what goes into
    the cluster has to be among them.
    """
    physical_name = physical("aws/eks-cluster", f"{labels.project}-{name}")
    log_group = f"/aws/eks/{physical_name}/cluster"

    control_role = iam.role(
        f"{name}-control",
        trusts=iam.service("eks.amazonaws.com"),
        policies=["AmazonEKSClusterPolicy"],
        labels=labels,
        opts=opts,
    )
    key = keys.cluster_key(name, cluster_role=control_role, log_group=log_group, place=place, labels=labels, opts=opts)
    logs = cloudwatch.LogGroup(
        f"{name}-control",
        name=log_group,
        retention_in_days=next(days for days in _RETENTION if days >= spec.log_retention_days),
        kms_key_id=key.arn,
        tags=encode(labels, f"{name}-control"),
        opts=opts,
    )
    made = eks.Cluster(
        name,
        name=physical_name,
        version=spec.version,
        role_arn=control_role,
        access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
        upgrade_policy={"support_type": "STANDARD"},
        # The add-ons below are ours from the start; EKS shall not put unmanaged ones in their place.
        bootstrap_self_managed_addons=False,
        vpc_config={
            "subnet_ids": network.control_subnets,
            "security_group_ids": network.control_security_groups,
            "endpoint_private_access": True,
            "endpoint_public_access": bool(spec.authorized_ranges),
            "public_access_cidrs": [str(one) for one in spec.authorized_ranges] or None,
        },
        kubernetes_network_config={"ip_family": "ipv4", "service_ipv4_cidr": str(addresses.services)},
        encryption_config={"provider": {"key_arn": key.arn}, "resources": ["secrets"]},
        enabled_cluster_log_types=list(_LOGS),
        deletion_protection=False,
        tags=encode(labels, name),
        # EKS would make the log group itself, without retention and key, if it came first.
        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[logs])),
    )
    _administrators(name, made, spec, labels, opts)

    node_role = iam.role(
        f"{name}-nodes",
        trusts=iam.service("ec2.amazonaws.com"),
        policies=["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
        labels=labels,
        opts=opts,
    )
    before = addons.before_nodes(name, cluster=made, network=network, place=place, labels=labels, opts=opts)
    pools = {
        kind: nodes.pool(
            name,
            kind,
            spec=spec.pool(kind),
            cluster=made,
            role=node_role,
            network=network,
            place=place,
            labels=labels,
            # Nodes become ready only with a network plugin, and theirs must be set up before the first one joins.
            opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=before)),
        )
        for kind in PoolKind
    }
    addons.on_nodes(name, cluster=made, pool=pools[PoolKind.SYSTEM], labels=labels, opts=opts)

    server = Output.all(made.endpoint, made.certificate_authority.data).apply(
        lambda found: Server(url=found[0], authority=found[1])
    )
    sign_in = SignIn(
        command="aws",
        args=["--region", place.location, "eks", "get-token", "--cluster-name", physical_name, "--output", "json"],
        hint="Install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    )
    return ClusterOutputs(
        name=made.name,
        version=made.version,
        kubeconfig=kubeconfig(physical_name, server, sign_in),
        oidc_issuer=made.identities[0].oidcs[0].issuer,
        identity_anchor=_tenants_role(name, made, labels, opts),
        identity_endpoints=Output.from_input((_POD_IDENTITY_AGENT,)),
        storage_class=Output.from_input(addons.STORAGE_CLASS),
    )


def _administrators(name: str, made: eks.Cluster, spec: ClusterSpec, labels: Labels, opts: ResourceOptions) -> None:
    """Let every admin group, an IAM role, do everything in the cluster."""
    for group in spec.admin_groups:
        logical = f"{name}-admin-{brief(group)}"
        entry = eks.AccessEntry(
            logical,
            cluster_name=made.name,
            principal_arn=group,
            type="STANDARD",
            tags=encode(labels, logical),
            opts=opts,
        )
        eks.AccessPolicyAssociation(
            logical,
            cluster_name=made.name,
            principal_arn=entry.principal_arn,
            policy_arn=_ADMINISTRATOR,
            access_scope={"type": "cluster"},
            opts=opts,
        )


def _tenants_role(name: str, made: eks.Cluster, labels: Labels, opts: ResourceOptions) -> Output[str]:
    """The role that all tenants' workloads assume. It may do nothing by itself: stores grant by namespace."""
    return iam.role(f"{name}-tenants", trusts=iam.pods(made.arn), labels=labels, opts=opts)
