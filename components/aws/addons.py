"""What every EKS cluster runs for itself, as EKS add-ons: EKS chooses the version that fits the cluster's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pulumi import Output, ResourceOptions
from pulumi_aws import eks

from components.aws import iam
from components.aws.labels import encode
from components.labels import Labels
from components.outputs import NetworkOutputs
from components.spec import Place

STORAGE_CLASS = "ebs-csi-default-sc"
"""Made by the EBS CSI add-on when asked to: gp3, expandable, bound where the pod runs. It takes no parameters: disks
are encrypted where the account encrypts new EBS volumes by default, which whoever sets it up should switch on."""


def before_nodes(
    name: str, *, cluster: eks.Cluster, network: NetworkOutputs, place: Place, labels: Labels, opts: ResourceOptions
) -> list[eks.Addon]:
    """DaemonSets without which no node works: network plugin, service proxy, pod identity.

    The network plugin gives pods addresses of their own subnets, with the nodes' security group, in whole prefixes, and
    enforces NetworkPolicies. Not in strict mode: that denies every pod without a policy everything, CoreDNS first, and
    so the cluster would never come up before somebody had put policies into it
    (https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html). What remains open in standard
    mode are the first moments of a new pod, until its policies are in place.
    """
    plugin = Output.all(subnets=network.pod_subnets, groups=network.node_security_groups).apply(
        lambda known: json.dumps(_network_plugin(known["subnets"], known["groups"], place), sort_keys=True)
    )
    return [
        _addon(name, "eks-pod-identity-agent", cluster, labels, opts),
        _addon(name, "kube-proxy", cluster, labels, opts),
        _addon(
            name,
            "vpc-cni",
            cluster,
            labels,
            opts,
            configuration=plugin,
            identity=("aws-node", "AmazonEKS_CNI_Policy"),
        ),
    ]


def on_nodes(
    name: str, *, cluster: eks.Cluster, pool: eks.NodeGroup, labels: Labels, opts: ResourceOptions
) -> list[eks.Addon]:
    """Deployments that need a node to become healthy: names and disks. `pool`: one whose taints they tolerate."""
    # EKS reports such an add-on as degraded, and the engine as failed, as long as no node can run it.
    opts = ResourceOptions.merge(opts, ResourceOptions(depends_on=[pool]))
    disks = json.dumps({"defaultStorageClass": {"enabled": True}})
    return [
        _addon(name, "coredns", cluster, labels, opts),
        _addon(
            name,
            "aws-ebs-csi-driver",
            cluster,
            labels,
            opts,
            configuration=disks,
            identity=("ebs-csi-controller-sa", "service-role/AmazonEBSCSIDriverPolicy"),
        ),
    ]


def _network_plugin(subnets: Mapping[str, str], groups: list[str], place: Place) -> dict[str, Any]:
    """https://github.com/aws/amazon-vpc-cni-k8s#cni-configuration-variables"""
    return {
        "enableNetworkPolicy": "true",
        "env": {
            "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true",
            "ENI_CONFIG_LABEL_DEF": "topology.kubernetes.io/zone",
            "ENABLE_PREFIX_DELEGATION": "true",
        },
        "eniConfig": {
            "create": True,
            "region": place.location,
            "subnets": {zone: {"id": subnet, "securityGroups": groups} for zone, subnet in subnets.items()},
        },
    }


def _addon(
    name: str,
    addon: str,
    cluster: eks.Cluster,
    labels: Labels,
    opts: ResourceOptions,
    *,
    configuration: Output[str] | str | None = None,
    identity: tuple[str, str] | None = None,
) -> eks.Addon:
    """`identity`: the add-on's service account, and the managed policy that its pods need."""
    logical = f"{name}-{addon}"
    associations: list[eks.AddonPodIdentityAssociationArgsDict] = []
    if identity is not None:
        service_account, policy = identity
        role = iam.role(logical, trusts=iam.pods(cluster.arn), policies=[policy], labels=labels, opts=opts)
        associations = [{"service_account": service_account, "role_arn": role}]
    return eks.Addon(
        logical,
        cluster_name=cluster.name,
        addon_name=addon,
        configuration_values=configuration,
        pod_identity_associations=associations or None,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        tags=encode(labels, logical),
        opts=opts,
    )
