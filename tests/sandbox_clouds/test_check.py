"""Check: what is refused, and what is filled in."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.wire import secret
from tests.sandbox_clouds.conftest import Connect
from tests.sandbox_clouds.engine import UNKNOWN, Instance, Made, Refused

VPC = {"cidrBlock": "10.0.0.0/16"}
SUBNET = {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24"}
ROLE = {"assumeRolePolicy": "{}"}
CLUSTER: dict[str, Any] = {"roleArn": "arn:aws:iam::111122223333:role/r", "vpcConfig": {"subnetIds": ["subnet-1"]}}
AKS = {"resourceGroupName": "rg", "location": "centralindia", "resourceName": "aks"}

REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    # unknown arguments, with the near miss, at any depth
    ("aws:ec2/vpc:Vpc", {**VPC, "enableDnsHostname": True}, "enableDnsHostname", "did you mean 'enableDnsHostnames'"),
    ("aws:ec2/vpc:Vpc", {**VPC, "arn": "arn:aws:x"}, "arn", "is an output"),
    ("aws:eks/cluster:Cluster", {**CLUSTER, "accessConfig": {"mode": "API"}}, "accessConfig.mode", "unknown property"),
    (
        "aws:eks/cluster:Cluster",
        {**CLUSTER, "vpcConfig": {"subnetIds": ["s"], "vpcId": "vpc-1"}},
        "vpcConfig.vpcId",
        "is an output",
    ),
    ("gcp:compute/network:Network", {"autoCreateSubnetwork": False}, "autoCreateSubnetwork", "autoCreateSubnetworks"),
    (
        "azure-native:network:VirtualNetwork",
        {"resourceGroupName": "rg", "location": "eastus", "adressSpace": {}},
        "adressSpace",
        "did you mean 'addressSpace'",
    ),
    # missing ones
    ("aws:ec2/subnet:Subnet", {"cidrBlock": "10.0.0.0/24"}, "vpcId", "missing required property 'vpcId'"),
    ("aws:eks/cluster:Cluster", {"roleArn": "r", "vpcConfig": {}}, "vpcConfig.subnetIds", "missing required"),
    ("aws:ec2/vpc:Vpc", {}, "cidrBlock", "one of 'cidrBlock', 'ipv4IpamPoolId' must be specified"),
    ("gcp:compute/subnetwork:Subnetwork", {"ipCidrRange": "10.0.0.0/24"}, "network", "missing required"),
    ("azure-native:network:Subnet", {"resourceGroupName": "rg"}, "virtualNetworkName", "missing required"),
    # wrong types
    ("aws:ec2/subnet:Subnet", {**SUBNET, "tags": ["a"]}, "tags", "expected a map, got a list"),
    ("aws:ec2/subnet:Subnet", {**SUBNET, "tags": {"a": {"b": "c"}}}, "tags.a", "expected a string, got an object"),
    ("aws:iam/role:Role", {**ROLE, "maxSessionDuration": "long"}, "maxSessionDuration", "expected a whole number"),
    ("aws:ec2/vpc:Vpc", {**VPC, "enableDnsSupport": "maybe"}, "enableDnsSupport", "expected true or false"),
    (
        "azure-native:containerservice:ManagedCluster",
        {**AKS, "disableLocalAccounts": "true"},
        "disableLocalAccounts",
        "expected true or false, got the string 'true'",
    ),
    (
        "azure-native:containerservice:ManagedCluster",
        {**AKS, "agentPoolProfiles": [{"name": "system", "count": "3"}]},
        "agentPoolProfiles[0].count",
        "expected a whole number",
    ),
    # formats, enumerations, ranges
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0"}, "cidrBlock", "expected a prefix of /16 to /28"),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.1/16"}, "cidrBlock", "host bits set"),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "expected a prefix of /16 to /28"),
    ("aws:iam/role:Role", {"assumeRolePolicy": "{"}, "assumeRolePolicy", "invalid JSON"),
    (
        "aws:eks/cluster:Cluster",
        {**CLUSTER, "accessConfig": {"authenticationMode": "APIS"}},
        "accessConfig.authenticationMode",
        "did you mean 'API'",
    ),
    ("aws:eks/cluster:Cluster", {**CLUSTER, "version": "1.35.1"}, "version", "a Kubernetes minor version such as 1.35"),
    (
        "aws:kms/key:Key",
        {"deletionWindowInDays": 3},
        "deletionWindowInDays",
        "expected deletionWindowInDays to be at least 7, got 3",
    ),
    ("aws:ec2/vpc:Vpc", {**VPC, "region": "us-wst-2"}, "region", "did you mean us-west-2?"),
    ("aws:iam/role:Role", {**ROLE, "name": "a" * 65}, "name", "up to 64 letters"),
    ("aws:s3/bucket:Bucket", {"bucket": "Not_Lower"}, "bucket", "3 to 63 lower-case letters"),
    ("gcp:serviceaccount/account:Account", {"accountId": "short"}, "accountId", "6 to 30 lower-case letters"),
    (
        "gcp:compute/subnetwork:Subnetwork",
        {"name": "a_b", "network": "n", "ipCidrRange": "10.0.0.0/24"},
        "name",
        "1 to 63 lower-case letters",
    ),
    ("gcp:container/cluster:Cluster", {"location": "eu-west-1"}, "location", "invalid region: eu-west-1"),
    (
        "azure-native:containerservice:AgentPool",
        {"resourceGroupName": "rg", "resourceName": "c", "agentPoolName": "GPU-1"},
        "agentPoolName",
        "does not match expression",
    ),
    (
        "azure-native:network:VirtualNetwork",
        {"resourceGroupName": "rg", "location": "centralindya"},
        "location",
        "did you mean centralindia?",
    ),
    # conflicts
    ("aws:iam/role:Role", {**ROLE, "name": "a", "namePrefix": "b"}, "namePrefix", "conflicts with 'namePrefix'"),
    (
        "gcp:container/cluster:Cluster",
        {"enableAutopilot": True, "removeDefaultNodePool": True},
        "removeDefaultNodePool",
        "conflicts with",
    ),
]


@pytest.mark.parametrize(("type_", "news", "where", "why"), REFUSED, ids=[f"{t}-{w}" for t, _, w, _ in REFUSED])
def test_refuses(connect: Connect, type_: str, news: dict[str, Any], where: str, why: str) -> None:
    with pytest.raises(Refused) as refusal:
        connect(type_.split(":")[0]).check(type_, "x", news)
    assert where in refusal.value.properties
    assert why in str(refusal.value)


def test_unknown_values_are_accepted_anywhere(aws: Instance, azure: Instance) -> None:
    aws.check("aws:eks/cluster:Cluster", "x", {"roleArn": UNKNOWN, "vpcConfig": UNKNOWN, "version": UNKNOWN})
    aws.check("aws:eks/cluster:Cluster", "x", {"roleArn": "r", "vpcConfig": {"subnetIds": [UNKNOWN]}, "tags": UNKNOWN})
    azure.check("azure-native:network:Subnet", "x", {"resourceGroupName": UNKNOWN, "virtualNetworkName": UNKNOWN})


def test_a_bridged_provider_converts_scalars(aws: Instance) -> None:
    aws.check("aws:ec2/vpc:Vpc", "x", {**VPC, "enableDnsSupport": "true", "tags": {"number": 5}})


def test_secrets_are_judged_and_stay_secret(aws: Instance) -> None:
    checked = aws.check("aws:ec2/vpc:Vpc", "x", {"cidrBlock": secret("10.0.0.0/16")})
    assert checked["cidrBlock"] == secret("10.0.0.0/16")
    with pytest.raises(Refused, match="invalid CIDR"):
        aws.check("aws:ec2/vpc:Vpc", "x", {"cidrBlock": secret("nonsense")})


def test_an_argument_that_only_the_sdk_knows_is_accepted(gcp: Instance, aws: Instance) -> None:
    """pulumi-gcp bridges google-beta, and pulumi-aws is newer than the facts."""
    gcp.check("gcp:projects/serviceIdentity:ServiceIdentity", "x", {"service": "container.googleapis.com"})
    aws.check("aws:eks/nodeGroup:NodeGroup", "x", {**_node_group(), "warmPoolConfig": {"minSize": 1}})


def _node_group() -> dict[str, Any]:
    scaling = {"minSize": 0, "maxSize": 3, "desiredSize": 1}
    return {"clusterName": "c", "nodeRoleArn": "r", "subnetIds": ["s"], "scalingConfig": scaling}


def test_names_of_bridged_types_end_in_seven_hex_digits(aws: Instance, gcp: Instance) -> None:
    role = aws.check("aws:iam/role:Role", "tenants", ROLE)
    assert role["name"].startswith("tenants-")
    assert len(role["name"]) == len("tenants-") + 7
    assert "name" in role["__defaults"]
    assert gcp.check("gcp:compute/network:Network", "MyNet", {})["name"].startswith("mynet-")


def test_names_of_azure_end_in_eight_hex_digits_and_children_keep_theirs(azure: Instance) -> None:
    group = azure.check("azure-native:resources:ResourceGroup", "rg", {"location": "eastus"})
    assert len(group["resourceGroupName"]) == len("rg") + 8
    assert group["__createBeforeDelete"] is True
    child = azure.check("azure-native:network:Subnet", "data", {"resourceGroupName": "rg", "virtualNetworkName": "v"})
    assert child["subnetName"] == "data"
    assert "__createBeforeDelete" not in child


def test_role_assignments_are_named_by_uuid(azure: Instance) -> None:
    news = {"principalId": UNKNOWN, "roleDefinitionId": UNKNOWN, "scope": UNKNOWN}
    checked = azure.check("azure-native:authorization:RoleAssignment", "grant", news)
    assert len(checked["roleAssignmentName"]) == 36


def test_a_generated_name_stays_on_update_and_follows_the_seed_before(aws: Instance) -> None:
    first = aws.check("aws:iam/role:Role", "r", ROLE, seed=b"a")
    assert aws.check("aws:iam/role:Role", "r", ROLE, seed=b"a") == first
    assert aws.check("aws:iam/role:Role", "r", ROLE, seed=b"b")["name"] != first["name"]
    assert aws.check("aws:iam/role:Role", "r", ROLE, first, seed=b"b")["name"] == first["name"]


def test_a_name_that_leaves_no_room_is_refused(aws: Instance) -> None:
    with pytest.raises(Refused, match="plus 7 random chars is longer than maximum length 64"):
        aws.check("aws:iam/role:Role", "r" * 60, ROLE)


def test_no_name_is_made_where_a_prefix_is_given(aws: Instance) -> None:
    checked = aws.check("aws:iam/role:Role", "r", {**ROLE, "namePrefix": "tenants-"})
    assert "name" not in checked
    made = aws.create("aws:iam/role:Role", "r", {**ROLE, "namePrefix": "tenants-"})
    assert made.id.startswith("tenants-")


def test_the_projects_naming_settings_are_obeyed(aws: Instance) -> None:
    options = pb.CheckRequest.AutonamingOptions
    enforced = options(mode=options.ENFORCE, proposed_name="exactly")
    assert aws.check("aws:iam/role:Role", "r", ROLE, autonaming=enforced)["name"] == "exactly"
    switched_off = options(mode=options.DISABLE)
    assert "name" not in aws.check("aws:iam/role:Role", "r", ROLE, autonaming=switched_off)


def test_azure_takes_the_location_of_the_resource_group(azure: Instance, group: Made) -> None:
    news = {"resourceGroupName": group.outputs["name"]}
    assert azure.check("azure-native:network:NatGateway", "nat", news)["location"] == "centralindia"
    unknown = azure.check("azure-native:network:NatGateway", "nat", {"resourceGroupName": UNKNOWN})
    assert unknown["location"] == UNKNOWN


def test_azure_records_the_api_version(azure: Instance) -> None:
    checked = azure.check("azure-native:network:VirtualNetwork", "v", {"resourceGroupName": "rg", "location": "eastus"})
    assert checked["azureApiVersion"] == "2024-05-01"


def test_defaults_are_recorded_as_such(gcp: Instance, aws: Instance) -> None:
    cluster = gcp.check("gcp:container/cluster:Cluster", "c", {"location": "europe-west1"})
    assert cluster["deletionProtection"] is True
    assert "deletionProtection" in cluster["__defaults"]
    group = aws.check("aws:ec2/securityGroup:SecurityGroup", "g", {})
    assert group["description"] == "Managed by Pulumi"
