"""A region's network on Azure."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi import Output, Resource, ResourceOptions
from pulumi_azure_native import network as net
from pulumi_azure_native import resources

from components import catalogue, subnets
from components.azure.firewall import firewall
from components.azure.labels import encode
from components.labels import Labels
from components.naming import stem
from components.outputs import NetworkOutputs
from components.spec import NetworkSpec, Place

CONTROL_PLANE = "Microsoft.ContainerService/managedClusters"


def network(name: str, *, spec: NetworkSpec, place: Place, labels: Labels, opts: ResourceOptions) -> NetworkOutputs:
    """Virtual network in a resource group of its own, with one subnet a tier: subnets span the zones here.

    NAT is one gateway of the Standard kind, which lives in one zone that Azure picks, with an address that lives in
    all; the kind that spans zones is not in the API version that the SDK speaks. Losing that zone cuts the
    region's outward connections until the gateway is made again. Subnets without NAT have no way out at all: the
    implicit one that Azure gives by default is switched off.
    """
    plan = subnets.plan(spec)
    zones = catalogue.region(place.cloud, place.location).zones

    group = resources.ResourceGroup(
        stem("azure/resource-group", name), location=place.location, tags=encode(labels, name), opts=opts
    )
    vnet = net.VirtualNetwork(
        f"{name}-vnet",
        resource_group_name=group.name,
        location=place.location,
        address_space={"address_prefixes": [str(spec.range)]},
        tags=encode(labels, f"{name}-vnet"),
        opts=opts,
    )
    address = net.PublicIPAddress(
        f"{name}-nat",
        resource_group_name=group.name,
        location=place.location,
        sku={"name": "Standard", "tier": "Regional"},
        public_ip_allocation_method="Static",
        public_ip_address_version="IPv4",
        zones=list(zones),
        tags=encode(labels, f"{name}-nat"),
        opts=opts,
    )
    nat = net.NatGateway(
        f"{name}-nat",
        resource_group_name=group.name,
        location=place.location,
        sku={"name": "Standard"},
        public_ip_addresses=[{"id": address.id}],
        tags=encode(labels, f"{name}-nat"),
        opts=opts,
    )
    walls = firewall(name, group=group.name, plan=plan, place=place, labels=labels, opts=opts)

    made: dict[str, net.Subnet] = {}
    for tier, of_tier in (
        ("private", plan.private),
        ("data", plan.data),
        ("public", plan.public),
        ("control", plan.control),
    ):
        # Azure changes a virtual network by one operation at a time and refuses the others: one subnet after another.
        before: Sequence[Resource] = list(made.values())[-1:]
        made[tier] = net.Subnet(
            f"{name}-{tier}",
            resource_group_name=group.name,
            virtual_network_name=vnet.name,
            subnet_name=tier,
            address_prefix=str(of_tier.regional),
            network_security_group={"id": walls[tier].id},
            nat_gateway={"id": nat.id} if tier == "private" else None,
            default_outbound_access=False,
            # Private endpoints heed the security group too, which they do not by themselves.
            private_endpoint_network_policies="Enabled",
            delegations=[{"name": "control-plane", "service_name": CONTROL_PLANE}] if tier == "control" else None,
            opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=before)),
        )

    nothing: Output[list[str]] = Output.from_input([])
    return NetworkOutputs(
        id=vnet.id,
        scope=group.name,
        public_subnets=_only(made["public"]),
        private_subnets=_only(made["private"]),
        data_subnets=_only(made["data"]),
        control_subnets=_only(made["control"]),
        pod_subnets=Output.from_input({}),
        node_security_groups=nothing,
        control_security_groups=nothing,
        data_security_groups=nothing,
    )


def _only(subnet: net.Subnet) -> Output[list[str]]:
    return Output.all(subnet.id).apply(list)
