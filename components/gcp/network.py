"""A region's network on Google Cloud."""

from __future__ import annotations

from pulumi import Output, ResourceOptions
from pulumi_gcp import compute

from components import subnets
from components.gcp.firewall import firewall
from components.labels import Labels
from components.naming import stem
from components.ordering import once_made
from components.outputs import NetworkOutputs
from components.spec import NetworkSpec, Place

PODS, SERVICES = "pods", "services"
"""Secondary ranges of the private subnet."""


def network(name: str, *, spec: NetworkSpec, place: Place, labels: Labels, opts: ResourceOptions) -> NetworkOutputs:
    """VPC network with one subnet a tier: subnets span the zones of their region here.

    The public subnet is for the proxies of regional load balancers only, so nothing else can be put into it by mistake.
    Nodes and pods go out by Cloud NAT, which exists in all zones; data and control subnets have no way out. Google's
    own APIs are reached without leaving Google's network. Nothing here can be labelled: networks, subnets, routers and
    firewall rules have no labels.
    """
    plan = subnets.plan(spec)
    vpc = compute.Network(
        stem("gcp/compute", name),
        auto_create_subnetworks=False,
        routing_mode="REGIONAL",
        opts=opts,
    )
    private = compute.Subnetwork(
        stem("gcp/compute", f"{name}-private"),
        network=vpc.self_link,
        region=place.location,
        ip_cidr_range=str(plan.private.regional),
        private_ip_google_access=True,
        secondary_ip_ranges=[
            {"range_name": PODS, "ip_cidr_range": str(spec.pods)},
            {"range_name": SERVICES, "ip_cidr_range": str(spec.services)},
        ],
        opts=opts,
    )
    data, control = (
        compute.Subnetwork(
            stem("gcp/compute", f"{name}-{kind}"),
            network=vpc.self_link,
            region=place.location,
            ip_cidr_range=str(tier.regional),
            private_ip_google_access=True,
            opts=opts,
        )
        for kind, tier in (("data", plan.data), ("control", plan.control))
    )
    public = compute.Subnetwork(
        stem("gcp/compute", f"{name}-public"),
        network=vpc.self_link,
        region=place.location,
        ip_cidr_range=str(plan.public.regional),
        purpose="REGIONAL_MANAGED_PROXY",
        role="ACTIVE",
        opts=opts,
    )
    router = compute.Router(stem("gcp/compute", f"{name}-nat"), network=vpc.self_link, region=place.location, opts=opts)
    nat = compute.RouterNat(
        stem("gcp/compute", f"{name}-nat"),
        router=router.name,
        region=place.location,
        nat_ip_allocate_option="AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
        subnetworks=[{"name": private.self_link, "source_ip_ranges_to_nats": ["ALL_IP_RANGES"]}],
        # 64 ports a machine, the default, starve nodes full of pods; grown on demand up to the limit.
        enable_dynamic_port_allocation=True,
        enable_endpoint_independent_mapping=False,
        min_ports_per_vm=64,
        max_ports_per_vm=8192,
        log_config={"enable": True, "filter": "ERRORS_ONLY"},
        opts=opts,
    )
    rules = firewall(name, network=vpc, plan=plan, opts=opts)

    nothing: Output[list[str]] = Output.from_input([])
    return NetworkOutputs(
        id=vpc.self_link,
        scope=Output.from_input(place.account),
        public_subnets=_only(public),
        # Nodes that boot without a way out, or before the rules that let them out, give up.
        private_subnets=once_made(_only(private), nat, *rules),
        data_subnets=_only(data),
        control_subnets=_only(control),
        pod_subnets=Output.from_input({}),
        node_security_groups=nothing,
        control_security_groups=nothing,
        data_security_groups=nothing,
    )


def _only(subnet: compute.Subnetwork) -> Output[list[str]]:
    return Output.all(subnet.self_link).apply(list)
