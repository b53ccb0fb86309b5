"""The table of intents as network security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pulumi import Input, ResourceOptions
from pulumi_azure_native import network

from components.azure.labels import encode
from components.intents import INTENTS, Intent, Party, Protocol
from components.labels import Labels
from components.spec import Place
from components.subnets import Plan

PARTIES: Mapping[str, frozenset[Party]] = {
    "private": frozenset({Party.NODES, Party.PODS}),
    "data": frozenset({Party.DATA}),
    "public": frozenset({Party.PUBLIC}),
    "control": frozenset({Party.CONTROL}),
}
"""Who lives behind the subnets of a tier. Pods live on nodes: their packets bear addresses of the overlay between nodes
of the cluster, and the node's address towards everything else."""

_PROTOCOLS = {Protocol.TCP: "Tcp", Protocol.ANY: "*"}
_LAST = 4096
"""The lowest priority of our own: after every intent, before the rules that Azure puts into every group, which let
the whole virtual network and, outwards, the internet through."""


def firewall(
    name: str, *, group: Input[str], plan: Plan, place: Place, labels: Labels, opts: ResourceOptions
) -> dict[str, network.NetworkSecurityGroup]:
    """A security group for each tier of subnets, with the rules of the table and a last one each way that denies.

    Azure's DNS, DHCP and instance metadata are outside of all this: no rule touches them unless it names them
    (https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#azure-platform-considerations).
    """
    made = {}
    for tier, parties in PARTIES.items():
        logical = f"{name}-{tier}"
        made[tier] = network.NetworkSecurityGroup(
            logical,
            resource_group_name=group,
            location=place.location,
            security_rules=[*_rules(parties, plan, inbound=True), *_rules(parties, plan, inbound=False)],
            tags=encode(labels, logical),
            opts=opts,
        )
    return made


def _rules(parties: frozenset[Party], plan: Plan, *, inbound: bool) -> Iterator[network.SecurityRuleArgs]:
    """The rules of one direction: every intent that arrives at, or leaves from, the parties behind the subnets."""
    direction = "Inbound" if inbound else "Outbound"
    priority = 100
    for intent in INTENTS:
        sources = intent.sources if inbound else tuple(one for one in intent.sources if one in parties)
        targets = tuple(one for one in intent.destinations if one in parties) if inbound else intent.destinations
        for source in _ends(sources, plan):
            for target in _ends(targets, plan):
                yield _allow(intent, source, target, direction, priority)
                priority += 10
    yield network.SecurityRuleArgs(
        name=f"deny-{direction.lower()}",
        description="Whatever no intent allows",
        access="Deny",
        direction=direction,
        priority=_LAST,
        protocol="*",
        source_address_prefix="*",
        source_port_range="*",
        destination_address_prefix="*",
        destination_port_range="*",
    )


@dataclass(frozen=True)
class _End:
    """One end of a rule: ranges of ours together, or one of Azure's names for ranges, which must stand alone."""

    ranges: tuple[str, ...] = ()
    tag: str | None = None


_TAGS = {Party.INTERNET: "Internet", Party.PROBES: "AzureLoadBalancer"}


def _ends(parties: tuple[Party, ...], plan: Plan) -> Iterator[_End]:
    ranges = {
        Party.NODES: plan.private.regional,
        Party.PODS: plan.pods.regional,
        Party.CONTROL: plan.control.regional,
        Party.DATA: plan.data.regional,
        Party.PUBLIC: plan.public.regional,
    }
    if ours := tuple(str(ranges[party]) for party in parties if party in ranges):
        yield _End(ranges=ours)
    for party in parties:
        if party in _TAGS:
            yield _End(tag=_TAGS[party])


def _allow(intent: Intent, source: _End, target: _End, direction: str, priority: int) -> network.SecurityRuleArgs:
    ports = [str(first) if first == last else f"{first}-{last}" for first, last in intent.ports]
    return network.SecurityRuleArgs(
        name=f"{intent.name}-{priority}",
        description=intent.why,
        access="Allow",
        direction=direction,
        priority=priority,
        protocol=_PROTOCOLS[intent.protocol],
        source_address_prefix=source.tag,
        source_address_prefixes=list(source.ranges) or None,
        source_port_range="*",
        destination_address_prefix=target.tag,
        destination_address_prefixes=list(target.ranges) or None,
        destination_port_range=None if ports else "*",
        destination_port_ranges=ports or None,
    )
