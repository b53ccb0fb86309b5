"""A region's network on AWS."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import Output, Resource, ResourceOptions
from pulumi_aws import ec2

from components import catalogue, subnets
from components.aws.firewall import firewall
from components.aws.labels import encode
from components.labels import Labels
from components.ordering import once_made
from components.outputs import NetworkOutputs
from components.spec import NetworkSpec, Place
from components.subnets import Tier

_ROLES = {
    # Where the load balancer controller puts what:
    # https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html
    "public": {"kubernetes.io/role/elb": "1"},
    "private": {"kubernetes.io/role/internal-elb": "1"},
}

_EVERYWHERE = "0.0.0.0/0"


def network(name: str, *, spec: NetworkSpec, place: Place, labels: Labels, opts: ResourceOptions) -> NetworkOutputs:
    """VPC with public, private, data, control and pod subnets in three zones.

    Pods have subnets of a second block of the VPC, so that they never take the nodes' addresses. NAT is one regional
    gateway, which grows into each zone that has workloads and falls back from it by itself: highly available where
    nodes are spread, and no dearer than one zone's gateway where they are not
    (https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html). Data and control subnets have no
    route to the internet at all. S3 is reached by a gateway endpoint, past NAT and its price.
    """
    plan = subnets.plan(spec)
    made = _Maker(name, place, labels, opts)
    vpc = ec2.Vpc(
        f"{name}-vpc",
        cidr_block=str(spec.range),
        enable_dns_support=True,
        enable_dns_hostnames=True,
        tags=encode(labels, f"{name}-vpc"),
        opts=opts,
    )
    block = ec2.VpcIpv4CidrBlockAssociation(f"{name}-pods", vpc_id=vpc.id, cidr_block=str(spec.pods), opts=opts)
    internet = ec2.InternetGateway(
        f"{name}-internet", vpc_id=vpc.id, tags=encode(labels, f"{name}-internet"), opts=opts
    )
    nat = ec2.NatGateway(
        f"{name}-nat",
        availability_mode="regional",
        # The VPC by way of its internet gateway, without which a public NAT gateway cannot be made.
        vpc_id=internet.vpc_id,
        connectivity_type="public",
        tags=encode(labels, f"{name}-nat"),
        opts=opts,
    )
    public, private, isolated = (made.table(kind, vpc) for kind in ("public", "private", "isolated"))
    outside = ec2.Route(
        f"{name}-public",
        route_table_id=public.id,
        destination_cidr_block=_EVERYWHERE,
        gateway_id=internet.id,
        opts=opts,
    )
    through_nat = ec2.Route(
        f"{name}-private",
        route_table_id=private.id,
        destination_cidr_block=_EVERYWHERE,
        nat_gateway_id=nat.id,
        opts=opts,
    )
    ec2.VpcEndpoint(
        f"{name}-s3",
        vpc_id=vpc.id,
        vpc_endpoint_type="Gateway",
        service_name=f"com.amazonaws.{place.location}.s3",
        route_table_ids=[private.id, isolated.id],
        tags=encode(labels, f"{name}-s3"),
        opts=opts,
    )
    groups = firewall(name, vpc=vpc, plan=plan, labels=labels, opts=opts)
    # The VPC by way of its second block, in which these subnets lie.
    pods = made.tier("pods", plan.pods, block.vpc_id, private, through_nat)

    return NetworkOutputs(
        id=vpc.id,
        scope=Output.from_input(place.account),
        public_subnets=_ids(made.tier("public", plan.public, vpc.id, public, outside)),
        private_subnets=_ids(made.tier("private", plan.private, vpc.id, private, through_nat)),
        data_subnets=_ids(made.tier("data", plan.data, vpc.id, isolated)),
        control_subnets=_ids(made.tier("control", plan.control, vpc.id, isolated)),
        pod_subnets=Output.all(*[Output.all(one.zone, one.id) for one in pods]).apply(dict),
        node_security_groups=Output.all(groups.nodes).apply(list),
        control_security_groups=Output.all(groups.control).apply(list),
        data_security_groups=Output.all(groups.data).apply(list),
    )


@dataclass(frozen=True)
class _Subnet:
    zone: Output[str]
    id: Output[str]
    """Handed out when the subnet's routes are in place: what boots without them gives up."""


@dataclass(frozen=True)
class _Maker:
    """Makes what comes in threes."""

    name: str
    place: Place
    labels: Labels
    opts: ResourceOptions

    def table(self, kind: str, vpc: ec2.Vpc) -> ec2.RouteTable:
        """A route table. Its routes are resources of their own, so that other slices can add some."""
        logical = f"{self.name}-{kind}"
        return ec2.RouteTable(logical, vpc_id=vpc.id, tags=encode(self.labels, logical), opts=self.opts)

    def tier(
        self, kind: str, ranges: Tier, vpc_id: Output[str], table: ec2.RouteTable, *routes: Resource
    ) -> list[_Subnet]:
        """The subnets of a tier, one a zone, with the routes of a table."""
        zones = catalogue.region(self.place.cloud, self.place.location).zones
        return [
            self._subnet(f"{self.name}-{kind}-{number}", kind, zone, str(cidr), vpc_id, table, routes)
            for number, (zone, cidr) in enumerate(zip(zones, ranges.zonal, strict=True), start=1)
        ]

    def _subnet(
        self,
        logical: str,
        kind: str,
        zone: str,
        cidr: str,
        vpc_id: Output[str],
        table: ec2.RouteTable,
        routes: tuple[Resource, ...],
    ) -> _Subnet:
        made = ec2.Subnet(
            logical,
            vpc_id=vpc_id,
            cidr_block=cidr,
            availability_zone_id=zone,
            map_public_ip_on_launch=False,
            tags={**encode(self.labels, logical), **_ROLES.get(kind, {})},
            opts=self.opts,
        )
        association = ec2.RouteTableAssociation(logical, subnet_id=made.id, route_table_id=table.id, opts=self.opts)
        return _Subnet(made.availability_zone, once_made(made.id, association, *routes))


def _ids(made: list[_Subnet]) -> Output[list[str]]:
    return Output.all(*[one.id for one in made]).apply(list)
