"""The table of intents as security groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pulumi import Output, Resource, ResourceOptions
from pulumi_aws import ec2
from pulumi_aws import vpc as vpc_rules

from components.aws.labels import encode
from components.intents import INTENTS, Intent, Party, Protocol
from components.labels import Labels
from components.ordering import once_made
from components.subnets import Plan

_PROTOCOLS = {Protocol.TCP: "tcp", Protocol.ANY: "-1"}


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Ids of one security group for each kind of address whose firewall is ours, handed out with all rules in place."""

    nodes: Output[str]
    control: Output[str]
    data: Output[str]


@dataclass(frozen=True, kw_only=True)
class _Peer:
    """What a rule says about one end of a flow: a group, or a range where no group of ours is."""

    name: str
    group: ec2.SecurityGroup | None = None
    cidr: str | None = None


def firewall(name: str, *, vpc: ec2.Vpc, plan: Plan, labels: Labels, opts: ResourceOptions) -> Groups:
    """Security groups with the rules of the table, and a default group that lets nothing through.

    Pods carry the nodes' group, since the network plugin gives it to the interfaces that pods live on. Load balancers
    bring groups of their own and are known by their subnets; they do their health checks themselves, so `Party.PROBES`
    has no addresses here. EKS gives the API server's addresses a group of its own beside ours, by which they may send
    anything to anybody; nobody else carries it. A group has no rules but those of the table: the provider takes away
    the one that AWS puts into a new group, by which everything may leave.
    """
    ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=vpc.id, tags=encode(labels, f"{name}-default"), opts=opts)

    def group(kind: str, description: str) -> ec2.SecurityGroup:
        logical = f"{name}-{kind}"
        return ec2.SecurityGroup(
            logical, vpc_id=vpc.id, description=description, tags=encode(labels, logical), opts=opts
        )

    nodes = group("nodes", "Nodes and pods")
    control = group("control", "Kubernetes API server")
    data = group("data", "Data services")
    peers = {
        Party.NODES: _Peer(name="nodes", group=nodes),
        Party.PODS: _Peer(name="nodes", group=nodes),
        Party.CONTROL: _Peer(name="control", group=control),
        Party.DATA: _Peer(name="data", group=data),
        Party.PUBLIC: _Peer(name="public", cidr=str(plan.public.regional)),
        Party.INTERNET: _Peer(name="internet", cidr="0.0.0.0/0"),
    }
    rules = [
        rule
        for intent in INTENTS
        for source in _distinct(peers, intent.sources)
        for destination in _distinct(peers, intent.destinations)
        for rule in _flow(f"{name}-{intent.name}", intent, source, destination, labels, opts)
    ]
    return Groups(
        nodes=once_made(nodes.id, *rules), control=once_made(control.id, *rules), data=once_made(data.id, *rules)
    )


def _distinct(peers: Mapping[Party, _Peer], parties: Iterable[Party]) -> tuple[_Peer, ...]:
    """The parties as peers, each once, without those that have no addresses on AWS."""
    return tuple({peers[party].name: peers[party] for party in parties if party in peers}.values())


def _flow(
    name: str, intent: Intent, source: _Peer, destination: _Peer, labels: Labels, opts: ResourceOptions
) -> Iterator[Resource]:
    """A rule at each end that has a group of ours, for each range of ports."""
    for first, last in intent.ports or ((None, None),):
        logical = f"{name}-{source.name}-{destination.name}" + (f"-{first}" if first else "")
        if destination.group is not None:
            yield vpc_rules.SecurityGroupIngressRule(
                f"{logical}-in",
                security_group_id=destination.group.id,
                referenced_security_group_id=source.group.id if source.group else None,
                cidr_ipv4=source.cidr,
                ip_protocol=_PROTOCOLS[intent.protocol],
                from_port=first,
                to_port=last,
                description=intent.why,
                tags=encode(labels, f"{logical}-in"),
                opts=opts,
            )
        if source.group is not None:
            yield vpc_rules.SecurityGroupEgressRule(
                f"{logical}-out",
                security_group_id=source.group.id,
                referenced_security_group_id=destination.group.id if destination.group else None,
                cidr_ipv4=destination.cidr,
                ip_protocol=_PROTOCOLS[intent.protocol],
                from_port=first,
                to_port=last,
                description=intent.why,
                tags=encode(labels, f"{logical}-out"),
                opts=opts,
            )
