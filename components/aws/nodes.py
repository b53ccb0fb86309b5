"""Nodes of an EKS cluster."""

from __future__ import annotations

from pulumi import Output, ResourceOptions
from pulumi_aws import ec2, eks

from components import catalogue
from components.aws.labels import encode
from components.labels import Labels
from components.naming import stem
from components.outputs import NetworkOutputs
from components.spec import Place, PoolKind, PoolSpec

_TAINTS: dict[PoolKind, list[eks.NodeGroupTaintArgsDict]] = {
    PoolKind.SYSTEM: [{"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}],
    PoolKind.GENERAL: [],
}
"""The add-ons tolerate it as they come. CoreDNS and the controller of the EBS CSI driver name the key; network plugin,
service proxy, pod identity agent and the driver's own DaemonSet run on every node, whatever its taints
(https://github.com/eksctl-io/eksctl/tree/main/pkg/addons/default/assets,
https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/charts/aws-ebs-csi-driver/values.yaml)."""


def pool(
    name: str,
    kind: PoolKind,
    *,
    spec: PoolSpec,
    cluster: eks.Cluster,
    role: Output[str],
    network: NetworkOutputs,
    place: Place,
    labels: Labels,
    opts: ResourceOptions,
) -> eks.NodeGroup:
    """A managed node group over all zones.

    Instances have no public address, encrypted disks (with the account's default EBS key: one of our own would have to
    be shared with Auto Scaling), and an instance metadata service that pods cannot reach, since their packets take one
    hop too many. The number of nodes between the limits is left to an autoscaler, which EKS does not bring.
    """
    logical = f"{name}-{kind}"
    tags = encode(labels, logical)
    template = ec2.LaunchTemplate(
        logical,
        update_default_version=True,
        vpc_security_group_ids=network.node_security_groups,
        metadata_options={
            "http_endpoint": "enabled",
            "http_tokens": "required",
            "http_put_response_hop_limit": 1,
        },
        block_device_mappings=[
            {
                "device_name": "/dev/xvda",  # the root device of Amazon Linux 2023
                "ebs": {
                    "volume_size": 80,
                    "volume_type": "gp3",
                    "encrypted": "true",
                    "delete_on_termination": "true",
                },
            }
        ],
        tag_specifications=[
            {"resource_type": kind, "tags": tags} for kind in ("instance", "volume", "network-interface")
        ],
        tags=tags,
        opts=opts,
    )
    return eks.NodeGroup(
        stem("aws/eks-node-group", logical),
        cluster_name=cluster.name,
        # The cluster's version, by way of the cluster: nodes follow once the control plane has been upgraded.
        version=cluster.version,
        node_role_arn=role,
        subnet_ids=network.private_subnets,
        ami_type="AL2023_x86_64_STANDARD",
        instance_types=[catalogue.machine(spec.size, place.cloud)],
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        scaling_config={"min_size": spec.min, "max_size": spec.max, "desired_size": max(spec.min, 1)},
        update_config={"max_unavailable_percentage": 33},
        node_repair_config={"enabled": True},
        labels={"meridian.dev/pool": str(kind)},
        taints=_TAINTS[kind],
        tags=tags,
        opts=ResourceOptions.merge(opts, ResourceOptions(ignore_changes=["scalingConfig.desiredSize"])),
    )
