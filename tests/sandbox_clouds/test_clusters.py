"""Managed Kubernetes clusters: a real API server is asked for behind each, whatever the cloud."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cluster_host import ClusterKey
from sandbox.world import World
from tests.sandbox_clouds.conftest import ACCOUNT, PROJECT, SUBSCRIPTION
from tests.sandbox_clouds.engine import Clusters, Instance, Made, Refused


@pytest.fixture
def eks(subnet: Made, role: Made) -> dict[str, Any]:
    return {
        "name": "platform",
        "roleArn": role.outputs["arn"],
        "version": "1.34",
        "vpcConfig": {"subnetIds": [subnet.id]},
        "tags": {"team": "a"},
    }


def test_eks(aws: Instance, clusters: Clusters, eks: dict[str, Any], vpc: Made) -> None:
    cluster = aws.create("aws:eks/cluster:Cluster", "c", eks)
    key = ClusterKey(package="aws", account=ACCOUNT, location="us-west-2", name="platform")
    assert clusters.asked == {key: "1.34"}
    assert cluster.outputs["endpoint"] == clusters.running[key].url
    assert cluster.outputs["certificateAuthority"] == {"data": "Q0VSVElGSUNBVEU="}
    assert cluster.outputs["identities"][0]["oidcs"][0]["issuer"].startswith("https://oidc.eks.us-west-2.")
    assert cluster.outputs["vpcConfig"]["vpcId"] == vpc.id
    aws.delete(cluster)
    assert clusters.running == {}


def test_aks(azure: Instance, clusters: Clusters, group: Made) -> None:
    name = group.outputs["name"]
    news = {"resourceGroupName": name, "kubernetesVersion": "1.35", "oidcIssuerProfile": {"enabled": True}}
    cluster = azure.create("azure-native:containerservice:ManagedCluster", "aks", news)
    (key,) = clusters.running
    assert key.account == f"{SUBSCRIPTION}/{name}"
    assert (key.location, key.name) == ("centralindia", cluster.outputs["name"])
    assert cluster.outputs["fqdn"] == cluster.outputs["privateFQDN"] == clusters.running[key].address
    assert cluster.outputs["currentKubernetesVersion"] == "1.35.4"
    assert cluster.outputs["oidcIssuerProfile"]["issuerURL"].startswith("https://centralindia.oic.prod-aks.azure.com/")


def test_gke(gcp: Instance, clusters: Clusters, network: Made) -> None:
    news = {"location": "europe-west1", "network": network.id, "resourceLabels": {"team": "a"}}
    cluster = gcp.create("gcp:container/cluster:Cluster", "gke", news)
    (key,) = clusters.running
    assert key == ClusterKey(package="gcp", account=PROJECT, location="europe-west1", name=cluster.outputs["name"])
    address = clusters.running[key].address
    assert cluster.outputs["endpoint"] == address
    assert cluster.outputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"] == address
    assert cluster.outputs["masterAuth"]["clusterCaCertificate"] == "Q0VSVElGSUNBVEU="
    assert "workloadIdentityConfig" not in cluster.outputs


def test_a_preview_starts_nothing(aws: Instance, clusters: Clusters, eks: dict[str, Any]) -> None:
    aws.preview("aws:eks/cluster:Cluster", "c", eks)
    assert clusters.running == {}


def test_a_minor_upgrade_is_made_in_place(aws: Instance, clusters: Clusters, eks: dict[str, Any]) -> None:
    cluster = aws.create("aws:eks/cluster:Cluster", "c", eks)
    newer = aws.update(cluster, {**eks, "version": "1.35"})
    assert list(clusters.asked.values()) == ["1.35"]
    assert newer.outputs["endpoint"] == cluster.outputs["endpoint"]
    with pytest.raises(Refused, match=r"from Kubernetes 1\.35 to 1\.37: minor versions cannot be skipped"):
        aws.update(newer, {**eks, "version": "1.37"})
    with pytest.raises(Refused, match="cannot downgrade"):
        aws.update(newer, {**eks, "version": "1.34"})


def test_a_cluster_whose_api_server_does_not_start_does_not_exist(
    aws: Instance, clusters: Clusters, eks: dict[str, Any], world: World
) -> None:
    clusters.broken = "etcd is not running"
    with pytest.raises(Refused, match="did not start: etcd is not running"):
        aws.create("aws:eks/cluster:Cluster", "c", eks)
    assert not [r for r in world.resources("aws") if r.key.type == "aws:eks/cluster:Cluster"]


def test_a_second_cluster_of_a_name_leaves_the_first_alone(
    aws: Instance, clusters: Clusters, eks: dict[str, Any]
) -> None:
    aws.create("aws:eks/cluster:Cluster", "c", eks)
    with pytest.raises(Refused, match="ResourceInUseException: Cluster already exists with name: platform"):
        aws.create("aws:eks/cluster:Cluster", "d", eks)
    assert len(clusters.running) == 1


def test_a_cluster_with_node_groups_cannot_be_deleted(aws: Instance, eks: dict[str, Any], role: Made) -> None:
    cluster = aws.create("aws:eks/cluster:Cluster", "c", eks)
    pool = {
        "clusterName": cluster.outputs["name"],
        "nodeRoleArn": role.outputs["arn"],
        "subnetIds": eks["vpcConfig"]["subnetIds"],
        "scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 1},
    }
    nodes = aws.create("aws:eks/nodeGroup:NodeGroup", "system", pool)
    assert nodes.outputs["version"] == "1.34"
    with pytest.raises(Refused, match="Cluster has nodegroups attached"):
        aws.delete(cluster)
