"""The same two pools of nodes on every cloud: private, encrypted, scaling, one of them for the system alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from components import catalogue
from components.spec import Cloud, ClusterSpec, PoolKind, PoolSpec
from tests.contract.conftest import Deployment
from tests.recording import Registered

AKS = "azure-native:containerservice:ManagedCluster"
POOLS = {
    Cloud.AWS: "aws:eks/nodeGroup:NodeGroup",
    Cloud.AZURE: "azure-native:containerservice:AgentPool",
    Cloud.GCP: "gcp:container/nodePool:NodePool",
}


@pytest.fixture(params=list(PoolKind), ids=str)
def kind(request: pytest.FixtureRequest) -> PoolKind:
    """Each kind of pool in turn."""
    return request.param


def resource(region: Deployment, kind: PoolKind) -> Registered:
    """The resource that a pool is, or is part of: AKS makes its system pool with the cluster."""
    if region.cloud is Cloud.AZURE and kind is PoolKind.SYSTEM:
        return region.one(AKS)
    return region.one(POOLS[region.cloud], f"-{kind}")


def pool(region: Deployment, kind: PoolKind) -> Mapping[str, Any]:
    props = resource(region, kind).props
    if region.cloud is Cloud.AZURE and kind is PoolKind.SYSTEM:
        (props,) = props["agentPoolProfiles"]
    return props


def limits(region: Deployment, kind: PoolKind) -> tuple[int, int]:
    """The least and the most nodes of the whole pool."""
    asked = pool(region, kind)
    match region.cloud:
        case Cloud.AWS:
            return asked["scalingConfig"]["minSize"], asked["scalingConfig"]["maxSize"]
        case Cloud.AZURE:
            assert asked["enableAutoScaling"] is True
            return asked["minCount"], asked["maxCount"]
        case Cloud.GCP:
            return asked["autoscaling"]["totalMinNodeCount"], asked["autoscaling"]["totalMaxNodeCount"]


def machine(region: Deployment, kind: PoolKind) -> str:
    asked = pool(region, kind)
    match region.cloud:
        case Cloud.AWS:
            (only,) = asked["instanceTypes"]
            return only
        case Cloud.AZURE:
            return asked["vmSize"]
        case Cloud.GCP:
            return asked["nodeConfig"]["machineType"]


# --- which pools ---


def test_there_is_one_pool_of_each_kind(region: Deployment) -> None:
    inside = {Cloud.AZURE: 1}.get(region.cloud, 0)
    assert len(region.of(POOLS[region.cloud])) + inside == len(PoolKind)


def test_nodes_say_which_pool_they_are_of(region: Deployment, kind: PoolKind) -> None:
    asked = pool(region, kind)
    match region.cloud:
        case Cloud.AWS:
            labels = asked["labels"]
        case Cloud.AZURE:
            labels = asked["nodeLabels"]
            assert asked["mode"] == {PoolKind.SYSTEM: "System", PoolKind.GENERAL: "User"}[kind]
        case Cloud.GCP:
            labels = asked["nodeConfig"]["labels"]
    assert labels == {"meridian.dev/pool": str(kind)}


def test_only_what_the_cluster_needs_runs_on_the_system_pool(region: Deployment) -> None:
    general, system = pool(region, PoolKind.GENERAL), pool(region, PoolKind.SYSTEM)
    match region.cloud:
        case Cloud.AWS:
            assert system["taints"] == [{"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}]
            assert not general.get("taints")
        case Cloud.AZURE:
            assert system["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
            assert not general.get("nodeTaints")
        case Cloud.GCP:
            (taint,) = system["nodeConfig"]["taints"]
            assert taint == {
                "key": "components.gke.io/gke-managed-components",
                "value": "true",
                "effect": "NO_SCHEDULE",
            }
            assert not general["nodeConfig"].get("taints")


def test_the_general_pool_of_aks_is_made_after_the_cluster_and_by_its_written_name(
    regions: Mapping[Cloud, Deployment],
) -> None:
    azure = regions[Cloud.AZURE]
    cluster, general = azure.one(AKS), resource(azure, PoolKind.GENERAL)
    assert cluster.urn in general.depends_on
    assert general.props["resourceName"] == cluster.props["resourceName"]


def test_a_general_pool_of_aks_of_another_size_can_be_there_before_the_old_one_goes(
    redeploy: Callable[..., Deployment],
) -> None:
    """AKS replaces a pool whose machines change and refuses a name that is taken."""
    names = set()
    for size in catalogue.sizes():
        region = redeploy(Cloud.AZURE, spec=ClusterSpec(general_pool=PoolSpec(size=size, min=1, max=2)))
        names.add(name := pool(region, PoolKind.GENERAL)["agentPoolName"])
        assert len(name) <= 12
        assert name.isalnum()
        assert name > "system"
    assert len(names) == len(catalogue.sizes())


def test_addons_of_aws_come_in_the_order_in_which_nodes_need_them(regions: Mapping[Cloud, Deployment]) -> None:
    aws = regions[Cloud.AWS]
    for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent"):
        for kind in PoolKind:
            assert aws.one("aws:eks/addon:Addon", f"-{name}").urn in resource(aws, kind).depends_on
    for name in ("coredns", "aws-ebs-csi-driver"):
        addon = aws.one("aws:eks/addon:Addon", f"-{name}")
        assert resource(aws, PoolKind.SYSTEM).urn in addon.depends_on
    assert aws.one("aws:eks/cluster:Cluster").props["bootstrapSelfManagedAddons"] is False


# --- how many of what ---


def test_pools_scale_between_the_default_limits(region: Deployment) -> None:
    assert limits(region, PoolKind.SYSTEM) == (3, 6)
    assert limits(region, PoolKind.GENERAL) == (3, 10)


@pytest.mark.parametrize("cloud", Cloud)
def test_limits_and_sizes_are_the_ones_asked_for(cloud: Cloud, redeploy: Callable[..., Deployment]) -> None:
    """Limits are of the whole pool on every cloud, not of a zone."""
    asked = {
        PoolKind.SYSTEM: PoolSpec(size="medium", min=4, max=10),
        PoolKind.GENERAL: PoolSpec(size="memory-small", min=1, max=7),
    }
    region = redeploy(cloud, spec=ClusterSpec(system_pool=asked[PoolKind.SYSTEM], general_pool=asked[PoolKind.GENERAL]))
    for kind, spec in asked.items():
        assert limits(region, kind) == (spec.min, spec.max)
        assert machine(region, kind) == catalogue.machine(spec.size, cloud)


def test_nobody_but_the_autoscaler_owns_the_number_of_nodes(region: Deployment, kind: PoolKind) -> None:
    ignored = resource(region, kind).ignore_changes
    match region.cloud:
        case Cloud.AWS:
            assert ignored == ("scalingConfig.desiredSize",)
        case Cloud.AZURE:
            assert ignored == {PoolKind.SYSTEM: ("agentPoolProfiles[0].count",), PoolKind.GENERAL: ("count",)}[kind]
        case Cloud.GCP:
            assert ignored == ("initialNodeCount",)


def test_pools_span_all_zones(region: Deployment, kind: PoolKind) -> None:
    asked = pool(region, kind)
    match region.cloud:
        case Cloud.AWS:
            assert len(asked["subnetIds"]) == 3
        case Cloud.AZURE:
            assert len(asked["availabilityZones"]) == 3
        case Cloud.GCP:
            assert len(region.one("gcp:container/cluster:Cluster").props["nodeLocations"]) == 3
            assert asked["location"] == "europe-west1"


# --- private and encrypted ---


def test_nodes_are_in_the_private_subnets_without_public_addresses(region: Deployment, kind: PoolKind) -> None:
    asked = pool(region, kind)
    match region.cloud:
        case Cloud.AWS:
            assert asked["subnetIds"] == region.network["private_subnets"]
            template = region.one("aws:ec2/launchTemplate:LaunchTemplate", f"-{kind}").props
            assert "networkInterfaces" not in template  # so the subnet's setting holds: no public addresses
        case Cloud.AZURE:
            assert [asked["vnetSubnetID"]] == region.network["private_subnets"]
            assert asked["enableNodePublicIP"] is False
        case Cloud.GCP:
            assert asked["networkConfig"]["enablePrivateNodes"] is True
            cluster = region.one("gcp:container/cluster:Cluster").props
            assert [cluster["subnetwork"]] == region.network["private_subnets"]
            assert cluster["privateClusterConfig"]["enablePrivateNodes"]


def test_disks_are_encrypted(region: Deployment, kind: PoolKind) -> None:
    asked = pool(region, kind)
    match region.cloud:
        case Cloud.AWS:
            template = region.one("aws:ec2/launchTemplate:LaunchTemplate", f"-{kind}")
            assert asked["launchTemplate"]["id"] == f"{template.name}-id"
            assert all(one["ebs"]["encrypted"] == "true" for one in template.props["blockDeviceMappings"])
        case Cloud.AZURE:
            assert asked["osDiskType"] == "Managed"  # all managed disks are
        case Cloud.GCP:
            assert asked["nodeConfig"]["diskType"] == "pd-balanced"  # all persistent disks are


def test_nodes_prove_what_they_boot_and_hide_their_identity_from_pods(region: Deployment, kind: PoolKind) -> None:
    asked = pool(region, kind)
    match region.cloud:
        case Cloud.AWS:
            template = region.one("aws:ec2/launchTemplate:LaunchTemplate", f"-{kind}").props
            assert template["metadataOptions"]["httpTokens"] == "required"
            assert template["metadataOptions"]["httpPutResponseHopLimit"] == 1
        case Cloud.AZURE:
            assert asked["securityProfile"] == {"enableSecureBoot": True, "enableVTPM": True, "sshAccess": "Disabled"}
        case Cloud.GCP:
            node = asked["nodeConfig"]
            assert node["workloadMetadataConfig"]["mode"] == "GKE_METADATA"
            assert node["shieldedInstanceConfig"]["enableSecureBoot"]
            assert node["serviceAccount"].startswith("staging-here-nodes@")
