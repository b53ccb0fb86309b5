"""The same network on every cloud: the planned subnets, a way out for nodes only, and nothing public."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from ipaddress import IPv4Network

import pytest

from components.outputs import NetworkOutputs
from components.spec import Cloud, NetworkSpec
from components.subnets import plan
from tests.contract.conftest import ADDRESSES, Deployment
from tests.recording import Registered

PLAN = plan(ADDRESSES)
TIERS = {"private": PLAN.private, "data": PLAN.data, "public": PLAN.public, "control": PLAN.control}
SUBNETS: Mapping[Cloud, tuple[str, str]] = {
    Cloud.AWS: ("aws:ec2/subnet:Subnet", "cidrBlock"),
    Cloud.AZURE: ("azure-native:network:Subnet", "addressPrefix"),
    Cloud.GCP: ("gcp:compute/subnetwork:Subnetwork", "ipCidrRange"),
}
OFTEN_PUBLIC = ("0.0.0.0/0", "::/0")


def by_name(made: Iterable[Registered]) -> list[Registered]:
    """In the order of the numbers in their names; they are registered in any."""
    return sorted(made, key=lambda one: one.name)


def ranges(region: Deployment, tier: str) -> list[IPv4Network]:
    type_, key = SUBNETS[region.cloud]
    return [IPv4Network(one.props[key]) for one in by_name(region.of(type_)) if f"-{tier}" in one.name]


def test_every_output_is_set(region: Deployment) -> None:
    assert set(region.network) == {field.name for field in fields(NetworkOutputs)}
    for tier in ("public", "private", "data", "control"):
        found = region.network[f"{tier}_subnets"]
        assert found
        assert all(isinstance(one, str) and one for one in found)
    assert region.network["id"]
    assert region.network["scope"]


def test_outputs_have_the_same_types_everywhere(regions: Mapping[Cloud, Deployment]) -> None:
    for field in fields(NetworkOutputs):
        assert len({type(region.network[field.name]) for region in regions.values()}) == 1, field.name


def test_subnets_are_those_of_the_plan(region: Deployment) -> None:
    for tier, planned in TIERS.items():
        wanted = list(planned.zonal) if region.cloud is Cloud.AWS else [planned.regional]
        assert ranges(region, tier) == wanted, tier


def test_subnets_of_aws_lie_in_three_zones_in_one_order(regions: Mapping[Cloud, Deployment]) -> None:
    subnets = by_name(regions[Cloud.AWS].of("aws:ec2/subnet:Subnet"))
    for tier in (*TIERS, "pods"):
        zones = [one.props["availabilityZoneId"] for one in subnets if f"-{tier}-" in one.name]
        assert zones == ["usw2-az1", "usw2-az2", "usw2-az3"]


def test_pods_have_addresses_of_their_own_range(regions: Mapping[Cloud, Deployment]) -> None:
    aws, azure, gcp = (regions[cloud] for cloud in (Cloud.AWS, Cloud.AZURE, Cloud.GCP))
    block = aws.one("aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation")
    assert block.props["cidrBlock"] == str(ADDRESSES.pods)
    assert ranges(aws, "pods") == list(PLAN.pods.zonal)
    assert len(aws.network["pod_subnets"]) == 3
    assert azure.one("azure-native:containerservice:ManagedCluster").props["networkProfile"]["podCidr"] == str(
        ADDRESSES.pods
    )
    assert azure.network["pod_subnets"] == gcp.network["pod_subnets"] == {}
    private = gcp.one("gcp:compute/subnetwork:Subnetwork", "-private")
    assert {one["rangeName"]: one["ipCidrRange"] for one in private.props["secondaryIpRanges"]} == {
        "pods": str(ADDRESSES.pods),
        "services": str(ADDRESSES.services),
    }


def test_only_nodes_go_out_and_only_by_nat(regions: Mapping[Cloud, Deployment]) -> None:
    aws, azure, gcp = (regions[cloud] for cloud in (Cloud.AWS, Cloud.AZURE, Cloud.GCP))
    routes = {one.name: one.props for one in aws.of("aws:ec2/route:Route")}
    assert set(routes) == {"staging-here-public", "staging-here-private"}
    assert "gatewayId" not in routes["staging-here-private"]
    assert routes["staging-here-private"]["natGatewayId"]
    tables = {
        one.props["subnetId"]: one.props["routeTableId"]
        for one in aws.of("aws:ec2/routeTableAssociation:RouteTableAssociation")
    }
    for tier, table in (("private", "private"), ("data", "isolated"), ("control", "isolated"), ("public", "public")):
        assert {tables[subnet] for subnet in aws.network[f"{tier}_subnets"]} == {f"staging-here-{table}-id"}
    assert aws.one("aws:ec2/natGateway:NatGateway").props["availabilityMode"] == "regional"

    by_nat = [one.name for one in azure.of("azure-native:network:Subnet") if one.props.get("natGateway")]
    assert by_nat == ["staging-here-private"]

    nat = gcp.one("gcp:compute/routerNat:RouterNat").props
    assert [one["name"] for one in nat["subnetworks"]] == gcp.network["private_subnets"]
    assert nat["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"


def test_nothing_gets_a_public_address_by_itself(region: Deployment) -> None:
    for one in region.resources:
        assert one.props.get("mapPublicIpOnLaunch") in (None, False), one.name
        assert one.type not in ("aws:ec2/eip:Eip", "gcp:compute/address:Address", "aws:lb/loadBalancer:LoadBalancer")
    public = region.of("azure-native:network:PublicIPAddress")
    assert [one.name for one in public] == (["staging-here-nat"] if region.cloud is Cloud.AZURE else [])


def test_the_whole_internet_is_named_only_where_the_way_out_is_meant(region: Deployment) -> None:
    """Any other mention of everybody's addresses is somebody letting them in."""
    outward = {
        "aws:ec2/route:Route",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    }
    for one in region.resources:
        text = json.dumps(dict(one.props))
        if any(f'"{everybody}"' in text for everybody in OFTEN_PUBLIC) and one.type not in outward:
            assert one.type == "gcp:compute/firewall:Firewall"
            denied, leaving = bool(one.props.get("denies")), one.props["direction"] == "EGRESS"
            assert denied or (leaving and one.props["sourceRanges"] != ["0.0.0.0/0"]), one.name


def test_azure_gives_no_way_out_by_default(regions: Mapping[Cloud, Deployment]) -> None:
    for one in regions[Cloud.AZURE].of("azure-native:network:Subnet"):
        assert one.props["defaultOutboundAccess"] is False
        assert one.props["networkSecurityGroup"]


def test_subnets_of_azure_are_made_one_after_another(regions: Mapping[Cloud, Deployment]) -> None:
    made = regions[Cloud.AZURE].of("azure-native:network:Subnet")
    for before, after in itertools.pairwise(made):
        assert before.urn in after.depends_on


def test_googles_apis_are_reached_from_inside(regions: Mapping[Cloud, Deployment]) -> None:
    for one in regions[Cloud.GCP].of("gcp:compute/subnetwork:Subnetwork"):
        assert one.props.get("privateIpGoogleAccess") is (None if one.props.get("purpose") else True)


def test_every_child_hangs_on_its_component(region: Deployment) -> None:
    components = {one.urn: one for one in region.made if not one.custom}
    for one in region.resources:
        if not one.name.startswith("staging-here-acme"):
            assert one.parent in components, one.name
    assert {one.type for one in components.values()} == {
        "meridian:components:Network",
        "meridian:components:Cluster",
    }


def test_everything_is_made_by_the_explicit_provider(region: Deployment) -> None:
    providers = [one for one in region.made if one.type.startswith("pulumi:providers:")]
    assert [one.name for one in providers] == ["cloud"]
    for one in region.resources:
        assert one.provider.startswith(f"{providers[0].urn}::"), one.name


@pytest.mark.parametrize("cloud", Cloud)
def test_ranges_that_overlap_register_nothing(cloud: Cloud, redeploy: Callable[..., Deployment]) -> None:
    clash = NetworkSpec(range=ADDRESSES.range, pods=IPv4Network("10.16.0.0/16"), services=ADDRESSES.services)
    with pytest.raises(ValueError, match="overlaps"):
        redeploy(cloud, addresses=clash)


@pytest.mark.parametrize("cloud", Cloud)
def test_the_longest_names_fit(cloud: Cloud, redeploy: Callable[..., Deployment]) -> None:
    """Names of environments and regions have 24 letters at most; what Pulumi names gets 8 more."""
    limits = {
        "aws:ec2/launchTemplate:LaunchTemplate": 128,
        "aws:ec2/securityGroup:SecurityGroup": 255,
        "aws:eks/nodeGroup:NodeGroup": 63,
        "aws:iam/role:Role": 64,
        "azure-native:keyvault:Vault": 24,
        "azure-native:managedidentity:UserAssignedIdentity": 128,
        "azure-native:network:NatGateway": 80,
        "azure-native:network:NetworkSecurityGroup": 80,
        "azure-native:network:PublicIPAddress": 80,
        "azure-native:network:VirtualNetwork": 64,
        "azure-native:operationalinsights:Workspace": 63,
        "gcp:compute/network:Network": 63,
        "gcp:compute/subnetwork:Subnetwork": 63,
        "gcp:compute/firewall:Firewall": 63,
        "gcp:compute/router:Router": 63,
        "gcp:compute/routerNat:RouterNat": 63,
        "gcp:container/nodePool:NodePool": 40,
        "gcp:kms/keyRing:KeyRing": 63,
        "gcp:kms/cryptoKey:CryptoKey": 63,
    }
    for one in redeploy(cloud, name=f"{'e' * 24}-{'r' * 24}").resources:
        if one.type in limits:
            assert len(one.name) + 8 <= limits[one.type], one.name
