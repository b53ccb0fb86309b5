"""A region's network on AWS."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

from pulumi import Output, ResourceOptions
from pulumi_aws import ec2

from components import catalogue, subnets
from components.aws.firewall import firewall
from components.aws.labels import encode
from components.labels import Labels
from components.outputs import NetworkOutputs
from components.spec import NetworkSpec, Place

_ROLES = {
    # Where the load balancer controller puts what:
    # https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html
    "public": {"kubernetes.io/role/elb": "1"},
    "private": {"kubernetes.io/role/internal-elb": "1"},
}


def network(name: str, *, spec: NetworkSpec, place: Place, labels: Labels, opts: ResourceOptions) -> NetworkOutputs:
    """VPC with public, private, data, control and pod subnets in three zones.

    Pods have subnets of a second block of the VPC, so that they never take the nodes' addresses. NAT is one regional
    gateway, which grows into each zone that has workloads and falls back from it by itself: highly available where
    nodes are spread, and no dearer than one zone's gateway where they are not
    (https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html). Data and control subnets have no
    route to the internet at all. S3 is reached by a gateway endpoint, past NAT and its price.
    """
    plan = subnets.plan(spec)
    zones = catalogue.region(place.cloud, place.location).zones

    vpc = ec2.Vpc(
        f"{name}-vpc",
        cidr_block=str(spec.range),
        enable_dns_support=True,
        enable_dns_hostnames=True,
        tags=encode(labels, f"{name}-vpc"),
        opts=opts,
    )
    block = ec2.VpcIpv4CidrBlockAssociation(f"{name}-pods", vpc_id=vpc.id, cidr_block=str(spec.pods), opts=opts)
    gateway = ec2.InternetGateway(f"{name}-internet", vpc_id=vpc.id, tags=encode(labels, f"{name}-internet"), opts=opts)
    nat = ec2.NatGateway(
        f"{name}-nat",
        availability_mode="regional",
        # The VPC by way of its internet gateway, without which a public NAT gateway cannot be made.
        vpc_id=gateway.vpc_id,
        connectivity_type="public",
        tags=encode(labels, f"{name}-nat"),
        opts=opts,
    )

    def tier(kind: str, ranges: Sequence[IPv4Network], table: ec2.RouteTable, vpc_id: Output[str]) -> list[ec2.Subnet]:
        made = []
        for number, (zone, cidr) in enumerate(zip(zones, ranges, strict=True), start=1):
            logical = f"{name}-{kind}-{number}"
            subnet = ec2.Subnet(
                logical,
                vpc_id=vpc_id,
                cidr_block=str(cidr),
                availability_zone_id=zone,
                map_public_ip_on_launch=False,
                tags={**encode(labels, logical), **_ROLES.get(kind, {})},
                opts=opts,
            )
            ec2.RouteTableAssociation(logical, subnet_id=subnet.id, route_table_id=table.id, opts=opts)
            made.append(subnet)
        return made

    def route_table(kind: str) -> ec2.RouteTable:
        return ec2.RouteTable(f"{name}-{kind}", vpc_id=vpc.id, tags=encode(labels, f"{name}-{kind}"), opts=opts)

    outside, through_nat, inside = route_table("public"), route_table("private"), route_table("isolated")
    ec2.Route(
        f"{name}-public",
        route_table_id=outside.id,
        destination_cidr_block="0.0.0.0/0",
        gateway_id=gateway.id,
        opts=opts,
    )
    ec2.Route(
        f"{name}-private",
        route_table_id=through_nat.id,
        destination_cidr_block="0.0.0.0/0",
        nat_gateway_id=nat.id,
        opts=opts,
    )
    ec2.VpcEndpoint(
        f"{name}-s3",
        vpc_id=vpc.id,
        vpc_endpoint_type="Gateway",
        service_name=f"com.amazonaws.{place.location}.s3",
        route_table_ids=[through_nat.id, inside.id],
        tags=encode(labels, f"{name}-s3"),
        opts=opts,
    )

    public = tier("public", plan.public.zonal, outside, vpc.id)
    private = tier("private", plan.private.zonal, through_nat, vpc.id)
    data = tier("data", plan.data.zonal, inside, vpc.id)
    control = tier("control", plan.control.zonal, inside, vpc.id)
    # The VPC by way of its second block, in which these subnets lie.
    pods = tier("pods", plan.pods.zonal, through_nat, block.vpc_id)
    groups = firewall(name, vpc=vpc, plan=plan, labels=labels, opts=opts)

    return NetworkOutputs(
        id=vpc.id,
        scope=Output.from_input(place.account),
        public_subnets=_ids(public),
        private_subnets=_ids(private),
        data_subnets=_ids(data),
        control_subnets=_ids(control),
        pod_subnets=Output.all(*[Output.all(subnet.availability_zone, subnet.id) for subnet in pods]).apply(dict),
        node_security_groups=Output.all(groups.nodes.id).apply(list),
        control_security_groups=Output.all(groups.control.id).apply(list),
        data_security_groups=Output.all(groups.data.id).apply(list),
    )


def _ids(made: Sequence[ec2.Subnet]) -> Output[list[str]]:
    return Output.all(*[subnet.id for subnet in made]).apply(list)
