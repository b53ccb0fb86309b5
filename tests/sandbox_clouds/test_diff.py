"""Diff: nothing, an update, or a replacement; and in which order a replacement is made."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.wire import secret
from tests.sandbox_clouds.conftest import Connect
from tests.sandbox_clouds.engine import UNKNOWN, Instance, Made

Kind = pb.PropertyDiff


def kinds(response: pb.DiffResponse) -> dict[str, str]:
    return {path: Kind.Kind.Name(diff.kind) for path, diff in response.detailedDiff.items()}


def made(type_: str, inputs: dict[str, Any], outputs: dict[str, Any] | None = None) -> Made:
    """A resource in the engine's state; Diff needs no more."""
    return Made(type_, "x", "id", inputs, {**inputs, **(outputs or {})})


VPC = {"cidrBlock": "10.0.0.0/16", "tags": {"team": "a"}, "__defaults": []}
EKS: dict[str, Any] = {
    "name": "c-1234567",
    "roleArn": "arn:aws:iam::1:role/r",
    "version": "1.34",
    "vpcConfig": {"subnetIds": ["subnet-a", "subnet-b"], "endpointPrivateAccess": True},
    "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    "bootstrapSelfManagedAddons": False,
    "__defaults": ["name"],
}
AKS: dict[str, Any] = {
    "resourceGroupName": "rg",
    "resourceName": "aks",
    "location": "centralindia",
    "dnsPrefix": "aks",
    "networkProfile": {"networkPlugin": "azure", "serviceCidr": "10.1.0.0/16"},
    "azureApiVersion": "2025-09-01",
}
GKE: dict[str, Any] = {
    "name": "c-1234567",
    "location": "europe-west1",
    "network": "projects/p/global/networks/n",
    "deletionProtection": False,
    "resourceLabels": {"team": "a"},
    "__defaults": ["name"],
}

CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, str]]] = [
    ("aws:ec2/vpc:Vpc", VPC, {}, {}),
    ("aws:ec2/vpc:Vpc", VPC, {"tags": {"team": "b"}}, {"tags.team": "UPDATE"}),
    ("aws:ec2/vpc:Vpc", VPC, {"tags": {"team": "a", "env": "x"}}, {"tags.env": "ADD"}),
    ("aws:ec2/vpc:Vpc", VPC, {"tags": None}, {"tags": "DELETE"}),
    ("aws:ec2/vpc:Vpc", VPC, {"cidrBlock": "10.1.0.0/16"}, {"cidrBlock": "UPDATE_REPLACE"}),
    ("aws:ec2/vpc:Vpc", VPC, {"cidrBlock": UNKNOWN}, {"cidrBlock": "UPDATE_REPLACE"}),
    ("aws:ec2/vpc:Vpc", VPC, {"instanceTenancy": "dedicated"}, {"instanceTenancy": "UPDATE_REPLACE"}),
    ("aws:eks/cluster:Cluster", EKS, {"version": "1.35"}, {"version": "UPDATE"}),
    ("aws:eks/cluster:Cluster", EKS, {"version": None}, {}),
    (
        "aws:eks/cluster:Cluster",
        EKS,
        {"bootstrapSelfManagedAddons": True},
        {"bootstrapSelfManagedAddons": "UPDATE_REPLACE"},
    ),
    (
        "aws:eks/cluster:Cluster",
        EKS,
        {"vpcConfig": {"subnetIds": ["subnet-b", "subnet-a"], "endpointPrivateAccess": True}},
        {},
    ),
    (
        "aws:eks/cluster:Cluster",
        EKS,
        {"vpcConfig": {"subnetIds": ["subnet-b", "subnet-c"], "endpointPrivateAccess": True}},
        {"vpcConfig.subnetIds[0]": "DELETE", "vpcConfig.subnetIds[1]": "ADD"},
    ),
    (
        "aws:eks/cluster:Cluster",
        EKS,
        {"accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}},
        {"accessConfig.bootstrapClusterCreatorAdminPermissions": "UPDATE_REPLACE"},
    ),
    (
        "aws:eks/cluster:Cluster",
        EKS,
        {"encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": "k"}}},
        {"encryptionConfig": "ADD"},
    ),
    ("gcp:container/cluster:Cluster", GKE, {"resourceLabels": {"team": "b"}}, {"resourceLabels.team": "UPDATE"}),
    ("gcp:container/cluster:Cluster", GKE, {"location": "europe-west4"}, {"location": "UPDATE_REPLACE"}),
    (
        "gcp:container/cluster:Cluster",
        GKE,
        {"nodeConfig": {"serviceAccount": "a@b"}},
        {"nodeConfig": "ADD_REPLACE"},
    ),
    ("azure-native:containerservice:ManagedCluster", AKS, {"tags": {"a": "b"}}, {"tags": "ADD"}),
    ("azure-native:containerservice:ManagedCluster", AKS, {"location": "Central India"}, {}),
    ("azure-native:containerservice:ManagedCluster", AKS, {"location": "eastus"}, {"location": "UPDATE_REPLACE"}),
    ("azure-native:containerservice:ManagedCluster", AKS, {"dnsPrefix": "other"}, {"dnsPrefix": "UPDATE_REPLACE"}),
    ("azure-native:containerservice:ManagedCluster", AKS, {"kubernetesVersion": "1.35"}, {"kubernetesVersion": "ADD"}),
    (
        "azure-native:containerservice:ManagedCluster",
        AKS,
        {"networkProfile": {"networkPlugin": "azure", "serviceCidr": "10.2.0.0/16"}},
        {"networkProfile.serviceCidr": "UPDATE_REPLACE"},
    ),
    (
        "azure-native:containerservice:ManagedCluster",
        AKS,
        {
            "networkProfile": {
                "networkPlugin": "azure",
                "serviceCidr": "10.1.0.0/16",
                "natGatewayProfile": {"idleTimeoutInMinutes": 5},
            }
        },
        {"networkProfile.natGatewayProfile": "ADD"},
    ),
    (
        "azure-native:containerservice:ManagedCluster",
        AKS,
        {"resourceGroupName": "b"},
        {"resourceGroupName": "UPDATE_REPLACE"},
    ),
]


@pytest.mark.parametrize(("type_", "old", "change", "expected"), CASES, ids=[f"{t}-{list(c)}" for t, _, c, _ in CASES])
def test_says_what_a_change_means(
    connect: Connect, type_: str, old: dict[str, Any], change: dict[str, Any], expected: dict[str, str]
) -> None:
    news = {name: value for name, value in {**old, **change}.items() if value is not None}
    instance = connect(type_.split(":")[0])
    before = {**instance.check(type_, "x", old), "__defaults": old.get("__defaults", [])}
    response = instance.diff(made(type_, before), news)
    assert kinds(response) == expected
    assert bool(response.replaces) == any("REPLACE" in kind for kind in expected.values())
    assert response.changes == (pb.DiffResponse.DIFF_SOME if expected else pb.DiffResponse.DIFF_NONE)


def test_leaving_out_an_argument_goes_back_to_the_providers_default(aws: Instance) -> None:
    before = aws.check("aws:ec2/vpc:Vpc", "x", {**VPC, "enableDnsSupport": False})
    assert kinds(aws.diff(made("aws:ec2/vpc:Vpc", before), VPC)) == {"enableDnsSupport": "UPDATE"}


def test_an_equal_policy_document_is_no_change(aws: Instance) -> None:
    old = aws.check("aws:iam/role:Role", "r", {"assumeRolePolicy": '{"Statement": [{"Action": ["a"]}]}'})
    news = {"assumeRolePolicy": '{"Statement":{"Action":"a"}}'}
    assert kinds(aws.diff(made("aws:iam/role:Role", old), news)) == {}


def test_asking_for_what_the_cloud_chose_is_no_change(aws: Instance) -> None:
    state = made("aws:eks/cluster:Cluster", EKS, {"upgradePolicy": {"supportType": "EXTENDED"}})
    news = {**EKS, "upgradePolicy": {"supportType": "EXTENDED"}}
    assert kinds(aws.diff(state, news)) == {}
    assert kinds(aws.diff(state, {**EKS, "upgradePolicy": {"supportType": "STANDARD"}})) == {"upgradePolicy": "ADD"}


def test_secrecy_alone_is_no_change(aws: Instance) -> None:
    old = aws.check("aws:ec2/vpc:Vpc", "x", VPC)
    assert kinds(aws.diff(made("aws:ec2/vpc:Vpc", old), {**VPC, "tags": secret({"team": "a"})})) == {}


def test_ignored_paths_are_no_change(aws: Instance) -> None:
    news = {**VPC, "tags": {"team": "b"}, "cidrBlock": "10.1.0.0/16"}
    old = aws.check("aws:ec2/vpc:Vpc", "x", VPC)
    assert kinds(aws.diff(made("aws:ec2/vpc:Vpc", old), news, ["cidrBlock", "tags.team"])) == {}


def test_a_generated_name_lets_a_replacement_create_first(aws: Instance) -> None:
    generated = aws.diff(
        made("aws:eks/cluster:Cluster", EKS), {**EKS, "name": None, "roleArn": "arn:aws:iam::1:role/s"}
    )
    assert generated.replaces == ["roleArn"]
    assert not generated.deleteBeforeReplace


def test_a_given_name_makes_a_replacement_delete_first(aws: Instance) -> None:
    old = {**EKS, "__defaults": []}
    assert aws.diff(
        made("aws:eks/cluster:Cluster", old), {**old, "roleArn": "arn:aws:iam::1:role/s"}
    ).deleteBeforeReplace


def test_some_types_always_delete_first(aws: Instance) -> None:
    old = {"role": "r", "policyArn": "arn:aws:iam::aws:policy/A", "__defaults": []}
    news = {"role": "r", "policyArn": "arn:aws:iam::aws:policy/B"}
    response = aws.diff(made("aws:iam/rolePolicyAttachment:RolePolicyAttachment", old), news)
    assert response.replaces == ["policyArn"]
    assert response.deleteBeforeReplace


def test_azure_creates_first_only_with_a_random_name(azure: Instance) -> None:
    cluster = made("azure-native:containerservice:ManagedCluster", {**AKS, "__createBeforeDelete": True})
    assert not azure.diff(cluster, {**AKS, "dnsPrefix": "other"}).deleteBeforeReplace
    assert azure.diff(made(cluster.type, AKS), {**AKS, "dnsPrefix": "other"}).deleteBeforeReplace
