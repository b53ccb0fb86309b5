"""References: dangling ones are refused, what is in use stays, and some things go together."""

from __future__ import annotations

import threading
import time

import pytest

from sandbox.world import World
from tests.sandbox_clouds.conftest import PROJECT, Connect
from tests.sandbox_clouds.engine import Instance, Made, Refused


def test_a_dangling_reference_is_refused_in_the_clouds_words(aws: Instance, azure: Instance, gcp: Instance) -> None:
    with pytest.raises(Refused, match=r"InvalidVpcID\.NotFound: The vpc ID 'vpc-1' does not exist"):
        aws.create("aws:ec2/subnet:Subnet", "s", {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24"})
    with pytest.raises(Refused, match="ResourceGroupNotFound: Resource group 'none' could not be found"):
        azure.create("azure-native:network:RouteTable", "r", {"resourceGroupName": "none", "location": "eastus"})
    with pytest.raises(Refused, match="Error 404: The resource 'none' was not found"):
        gcp.create("gcp:compute/router:Router", "r", {"network": "none"})


def test_a_cluster_needs_its_role(aws: Instance, subnet: Made) -> None:
    news = {"roleArn": "arn:aws:iam::111122223333:role/none", "vpcConfig": {"subnetIds": [subnet.id]}}
    with pytest.raises(Refused, match=r"InvalidParameterException: The role with name .*none cannot be found"):
        aws.create("aws:eks/cluster:Cluster", "c", news)


def test_what_the_cloud_itself_owns_is_no_dangling_reference(aws: Instance, role: Made) -> None:
    policy = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
    aws.create("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "a", {"role": role.id, "policyArn": policy})


def test_what_is_in_use_cannot_be_deleted(aws: Instance, vpc: Made, subnet: Made) -> None:
    with pytest.raises(Refused, match=f"DependencyViolation: The vpc '{vpc.id}' has dependencies"):
        aws.delete(vpc)
    aws.delete(subnet)
    aws.delete(vpc)


def test_azures_subnet_in_use_cannot_be_deleted(azure: Instance, group: Made) -> None:
    in_group = {"resourceGroupName": group.outputs["name"]}
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    vnet = azure.create("azure-native:network:VirtualNetwork", "v", {**in_group, **space})
    place = {**in_group, "virtualNetworkName": vnet.outputs["name"], "addressPrefix": "10.0.0.0/24"}
    subnet = azure.create("azure-native:network:Subnet", "nodes", place)
    pool = {"name": "system", "vnetSubnetID": subnet.id}
    cluster = azure.create(
        "azure-native:containerservice:ManagedCluster", "c", {**in_group, "agentPoolProfiles": [pool]}
    )
    with pytest.raises(Refused, match="InUseSubnetCannotBeDeleted: Subnet nodes is in use by"):
        azure.delete(subnet)
    azure.delete(cluster)
    azure.delete(subnet)


def test_a_network_with_subnetworks_cannot_be_deleted(gcp: Instance, network: Made) -> None:
    news = {"network": network.outputs["selfLink"], "ipCidrRange": "10.0.0.0/24"}
    gcp.create("gcp:compute/subnetwork:Subnetwork", "s", news)
    with pytest.raises(Refused, match=r"network resource '.*' is already being used by 'gcp:compute/subnetwork"):
        gcp.delete(network)


@pytest.mark.parametrize("spelling", ["{name}", "{id}", "{selfLink}"])
def test_google_takes_a_name_a_path_or_a_url(gcp: Instance, network: Made, spelling: str) -> None:
    values = {"name": network.outputs["name"], "id": network.id, "selfLink": network.outputs["selfLink"]}
    gcp.create("gcp:compute/router:Router", "r", {"network": spelling.format(**values)})


def test_azure_ignores_the_case_of_ids(azure: Instance, group: Made) -> None:
    azure.create(
        "azure-native:authorization:RoleAssignment",
        "r",
        {
            "scope": group.id.upper().replace("/SUBSCRIPTIONS", "/subscriptions"),
            "principalId": "00000000-0000-4000-8000-000000000001",
            "roleDefinitionId": "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/"
            "4d97b98b-1d4f-4787-a291-c67834d212e7",
        },
    )


def test_a_resource_group_takes_everything_in_it_along(azure: Instance, group: Made, world: World) -> None:
    azure.create("azure-native:network:NatGateway", "nat", {"resourceGroupName": group.outputs["name"]})
    azure.delete(group)
    assert world.counts() == {}


def test_ids_mean_something_in_their_account_and_region_only(connect: Connect, vpc: Made) -> None:
    news = {"vpcId": vpc.id, "cidrBlock": "10.0.9.0/24"}
    for elsewhere in (connect("aws", region="us-east-1"), connect("aws", allowedAccountIds='["444455556666"]')):
        with pytest.raises(Refused, match="does not exist"):
            elsewhere.create("aws:ec2/subnet:Subnet", "s", news)
        assert elsewhere.import_("aws:ec2/vpc:Vpc", "net", vpc.id) is None


def test_a_region_argument_of_its_own_places_a_resource(connect: Connect, aws: Instance) -> None:
    made = aws.create("aws:ec2/vpc:Vpc", "far", {"cidrBlock": "10.0.0.0/16", "region": "eu-west-1"})
    assert made.outputs["arn"].startswith("arn:aws:ec2:eu-west-1:")
    assert aws.refresh(made) is not None
    assert connect("aws", region="eu-west-1").refresh(made) is not None
    aws.delete(made)
    assert aws.refresh(made) is None


def test_names_exist_once(aws: Instance, gcp: Instance, connect: Connect) -> None:
    role = {"assumeRolePolicy": "{}", "name": "platform"}
    aws.create("aws:iam/role:Role", "a", role)
    with pytest.raises(Refused, match="EntityAlreadyExists: Role with name platform already exists"):
        aws.create("aws:iam/role:Role", "b", role)
    connect("aws", allowedAccountIds='["444455556666"]').create("aws:iam/role:Role", "c", role)
    gcp.create("gcp:compute/network:Network", "a", {"name": "net"})
    with pytest.raises(Refused, match="already exists"):
        gcp.create("gcp:compute/network:Network", "b", {"name": "net"})


def test_some_names_exist_once_in_the_world(aws: Instance, connect: Connect) -> None:
    bucket = aws.create("aws:s3/bucket:Bucket", "a", {"bucket": "meridian-models"})
    elsewhere = connect("aws", allowedAccountIds='["444455556666"]')
    with pytest.raises(Refused, match="BucketAlreadyExists"):
        elsewhere.create("aws:s3/bucket:Bucket", "b", {"bucket": "meridian-models"})
    aws.delete(bucket)
    elsewhere.create("aws:s3/bucket:Bucket", "b", {"bucket": "meridian-models"})


def test_what_cannot_be_deleted_keeps_its_name(gcp: Instance, world: World) -> None:
    news = {"name": "ring", "location": "europe-west1"}
    gcp.delete(gcp.create("gcp:kms/keyRing:KeyRing", "ring", news))
    assert world.counts() == {}
    with pytest.raises(Refused, match=f"KeyRing projects/{PROJECT}/europe-west1/keyRings/ring already exists"):
        gcp.create("gcp:kms/keyRing:KeyRing", "ring", news)


def test_a_deleted_vault_keeps_its_name(azure: Instance, group: Made) -> None:
    properties = {"sku": {"family": "A", "name": "standard"}, "tenantId": "00000000-0000-4000-8000-000000000001"}
    news = {"resourceGroupName": group.outputs["name"], "vaultName": "keys-1", "properties": properties}
    azure.delete(azure.create("azure-native:keyvault:Vault", "v", news))
    with pytest.raises(Refused, match="VaultAlreadyExists: The vault name 'keys-1' is already in use"):
        azure.create("azure-native:keyvault:Vault", "v", news)


def test_subnets_lie_in_their_network_and_do_not_overlap(aws: Instance, vpc: Made, subnet: Made) -> None:
    with pytest.raises(Refused, match=r"InvalidSubnet\.Range: The CIDR '10\.1\.0\.0/24'"):
        aws.create("aws:ec2/subnet:Subnet", "s", {"vpcId": vpc.id, "cidrBlock": "10.1.0.0/24"})
    with pytest.raises(Refused, match=r"InvalidSubnet\.Conflict: The CIDR '10\.0\.0\.128/25' conflicts"):
        aws.create("aws:ec2/subnet:Subnet", "s", {"vpcId": vpc.id, "cidrBlock": "10.0.0.128/25"})
    second = {"vpcId": vpc.id, "cidrBlock": "100.64.0.0/16"}
    aws.create("aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation", "pods", second)
    aws.create("aws:ec2/subnet:Subnet", "s", {"vpcId": vpc.id, "cidrBlock": "100.64.0.0/18"})


def test_the_same_firewall_rule_twice_is_refused(aws: Instance, vpc: Made) -> None:
    group = aws.create("aws:ec2/securityGroup:SecurityGroup", "g", {"vpcId": vpc.id})
    rule = {"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/8"}
    aws.create("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "a", rule)
    with pytest.raises(Refused, match=r"InvalidPermission\.Duplicate"):
        aws.create("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "b", rule)
    aws.create("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "c", rule)


def test_taking_over_and_letting_go_of_what_exists_anyway(aws: Instance, vpc: Made) -> None:
    default = aws.create("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "d", {"vpcId": vpc.id})
    assert default.id == vpc.outputs["defaultSecurityGroupId"]
    aws.delete(vpc)
    assert aws.refresh(default) is None


def test_protected_things_are_not_deleted(gcp: Instance, network: Made) -> None:
    news = {"location": "europe-west1", "network": network.id}
    cluster = gcp.create("gcp:container/cluster:Cluster", "c", news)
    with pytest.raises(Refused, match="deletion_protection is set to true"):
        gcp.delete(cluster)
    gcp.delete(gcp.update(cluster, {**news, "deletionProtection": False}))


def test_a_delete_waits_a_little_for_who_still_refers(aws: Instance, connect: Connect, vpc: Made, subnet: Made) -> None:
    other = connect("aws")
    late = threading.Timer(0.05, other.delete, [subnet])
    late.start()
    started = time.monotonic()
    aws.delete(vpc)
    assert time.monotonic() - started >= 0.04
    late.join()


def test_deleting_what_is_gone_is_no_error(aws: Instance, vpc: Made) -> None:
    aws.delete(vpc)
    aws.delete(vpc)


def test_updating_what_is_gone_is_an_error(aws: Instance, vpc: Made) -> None:
    aws.delete(vpc)
    with pytest.raises(Refused, match="does not exist"):
        aws.update(vpc, {"cidrBlock": "10.0.0.0/16"})
