"""The table of intents as firewall rules of a VPC network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pulumi import ResourceOptions
from pulumi_gcp import compute

from components.intents import INTENTS, OURS, Intent, Party, Protocol
from components.naming import stem
from components.subnets import Plan

_PRIORITY = 2000
"""After the rules that GKE writes for its own clusters, at 1000."""
_LAST = 65534
"""Before the rules that every network has at 65535, which let everything out."""

_PROBES = ("35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22")
"""https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""

_PROTOCOLS = {Protocol.TCP: "tcp", Protocol.ANY: "all"}


def firewall(name: str, *, network: compute.Network, plan: Plan, opts: ResourceOptions) -> list[compute.Firewall]:
    """The rules of the table, and a last one each way that denies.

    Rules go by ranges on both ends, so they hold for whatever stands in a subnet. The metadata server, which is also
    DNS and time, is outside of all this (https://cloud.google.com/firewall/docs/firewalls#alwaysallowed).
    """
    return [*_allowed(name, network, plan, opts), *_denied(name, network, opts)]


def _denied(name: str, network: compute.Network, opts: ResourceOptions) -> Iterator[compute.Firewall]:
    everywhere = ["0.0.0.0/0"]
    for direction, suffix in (("INGRESS", "in"), ("EGRESS", "out")):
        yield compute.Firewall(
            stem("gcp/compute", f"{name}-deny-{suffix}"),
            network=network.self_link,
            description="Whatever no intent allows",
            direction=direction,
            priority=_LAST,
            denies=[{"protocol": "all"}],
            source_ranges=everywhere if direction == "INGRESS" else None,
            destination_ranges=everywhere if direction == "EGRESS" else None,
            opts=opts,
        )


def _allowed(name: str, network: compute.Network, plan: Plan, opts: ResourceOptions) -> Iterator[compute.Firewall]:
    for intent in INTENTS:
        if OURS.intersection(intent.destinations):
            yield _allow(f"{name}-{intent.name}-in", "INGRESS", intent, network, plan, opts)
        if OURS.intersection(intent.sources):
            yield _allow(f"{name}-{intent.name}-out", "EGRESS", intent, network, plan, opts)


def _allow(
    name: str, direction: str, intent: Intent, network: compute.Network, plan: Plan, opts: ResourceOptions
) -> compute.Firewall:
    ports = [str(first) if first == last else f"{first}-{last}" for first, last in intent.ports]
    return compute.Firewall(
        stem("gcp/compute", name),
        network=network.self_link,
        description=intent.why,
        direction=direction,
        priority=_PRIORITY,
        allows=[{"protocol": _PROTOCOLS[intent.protocol], "ports": ports or None}],
        source_ranges=_ranges(intent.sources, plan),
        destination_ranges=_ranges(intent.destinations, plan),
        opts=opts,
    )


def _ranges(parties: Iterable[Party], plan: Plan) -> list[str]:
    ranges = {
        Party.NODES: (str(plan.private.regional),),
        Party.PODS: (str(plan.pods.regional),),
        Party.CONTROL: (str(plan.control.regional),),
        Party.DATA: (str(plan.data.regional),),
        Party.PUBLIC: (str(plan.public.regional),),
        Party.PROBES: _PROBES,
        Party.INTERNET: ("0.0.0.0/0",),
    }
    return [cidr for party in parties for cidr in ranges[party]]
