"""The same packets get through on every cloud: those of the table of intents, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import product
from typing import Any

import pytest

from components.intents import INTENTS, OURS, Party, Protocol
from components.spec import Cloud
from components.subnets import plan
from tests.contract.conftest import ADDRESSES, Deployment

PLAN = plan(ADDRESSES)
PORTS = (22, 80, 443, 1024, 1025, 4443, 5432, 6379, 8132, 9988, 10000, 10250, 30080, 65535)


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection; the rest follow it, since every firewall here keeps state."""

    source: Party
    target: Party
    protocol: str
    port: int

    @property
    def from_address(self) -> IPv4Address:
        return HOSTS[self.source]

    @property
    def to_address(self) -> IPv4Address:
        return HOSTS[self.target]


HOSTS: Mapping[Party, IPv4Address] = {
    Party.NODES: PLAN.private.zonal[2][77],
    Party.PODS: PLAN.pods.zonal[1][4242],
    Party.CONTROL: PLAN.control.zonal[0][9],
    Party.DATA: PLAN.data.zonal[2][20],
    Party.PUBLIC: PLAN.public.zonal[1][30],
    Party.PROBES: IPv4Address("35.191.10.1"),
    Party.INTERNET: IPv4Address("198.51.100.7"),
}


def packets() -> Iterator[Packet]:
    """One for every pair of parties of which one is ours at least. Nobody begins to talk to a health checker."""
    for source, target, protocol, port in product(Party, Party, ("tcp", "udp"), PORTS):
        if OURS.intersection((source, target)) and target is not Party.PROBES:
            yield Packet(source, target, protocol, port)


def wanted(packet: Packet) -> bool:
    """What the table says."""
    return any(
        packet.source in intent.sources
        and packet.target in intent.destinations
        and (
            intent.protocol is Protocol.ANY
            or (packet.protocol == "tcp" and any(low <= packet.port <= high for low, high in intent.ports))
        )
        for intent in INTENTS
    )


def within(address: IPv4Address, ranges: Iterable[str]) -> bool:
    return any(address in IPv4Network(one) for one in ranges)


def aws(region: Deployment) -> Callable[[Packet], bool]:
    """Security groups: somebody's packet must be let out by the sender's group and in by the receiver's."""
    groups = {
        Party.NODES: region.network["node_security_groups"][0],
        Party.PODS: region.network["node_security_groups"][0],
        Party.CONTROL: region.network["control_security_groups"][0],
        Party.DATA: region.network["data_security_groups"][0],
    }
    ingress = [one.props for one in region.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")]
    egress = [one.props for one in region.of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")]

    def matches(rule: Mapping[str, Any], packet: Packet, other: Party, address: IPv4Address) -> bool:
        peer = rule.get("referencedSecurityGroupId") == groups.get(other, "nobody") or (
            "cidrIpv4" in rule and within(address, [rule["cidrIpv4"]])
        )
        return peer and (
            rule["ipProtocol"] == "-1"
            or (rule["ipProtocol"] == packet.protocol and rule["fromPort"] <= packet.port <= rule["toPort"])
        )

    def passes(packet: Packet) -> bool:
        out = packet.source not in groups or any(
            matches(rule, packet, packet.target, packet.to_address)
            for rule in egress
            if rule["securityGroupId"] == groups[packet.source]
        )
        into = packet.target not in groups or any(
            matches(rule, packet, packet.source, packet.from_address)
            for rule in ingress
            if rule["securityGroupId"] == groups[packet.target]
        )
        return out and into

    return passes


def azure(region: Deployment) -> Callable[[Packet], bool]:
    """Network security groups of subnets: the rule of the highest priority decides, each way."""
    tier = {
        Party.NODES: "private",
        Party.PODS: "private",
        Party.CONTROL: "control",
        Party.DATA: "data",
        Party.PUBLIC: "public",
    }
    subnets = {one.name.rpartition("-")[2]: one for one in region.of("azure-native:network:Subnet")}
    groups = {f"{one.name}-id": one for one in region.of("azure-native:network:NetworkSecurityGroup")}

    def end(rule: Mapping[str, Any], which: str, party: Party, address: IPv4Address) -> bool:
        tag = rule.get(f"{which}AddressPrefix")
        if tag is None:
            return within(address, rule[f"{which}AddressPrefixes"])
        return {
            "*": True,
            "Internet": party is Party.INTERNET,
            "AzureLoadBalancer": party is Party.PROBES,
        }[tag]

    def ports(rule: Mapping[str, Any], port: int) -> bool:
        if rule.get("destinationPortRange") == "*":
            return True
        return any(
            int(low) <= port <= int(high or low)
            for low, _, high in (one.partition("-") for one in rule["destinationPortRanges"])
        )

    def decides(direction: str, party: Party, packet: Packet) -> bool:
        if party not in tier:
            return True
        group = groups[subnets[tier[party]].props["networkSecurityGroup"]["id"]]
        rules = [one for one in group.props["securityRules"] if one["direction"] == direction]
        assert len({one["priority"] for one in rules}) == len(rules)
        for rule in sorted(rules, key=lambda one: one["priority"]):
            if (
                rule["protocol"] in ("*", packet.protocol.capitalize())
                and end(rule, "source", packet.source, packet.from_address)
                and end(rule, "destination", packet.target, packet.to_address)
                and ports(rule, packet.port)
            ):
                return rule["access"] == "Allow"
        raise AssertionError(f"no rule of {group.name} decides about {packet}: Azure's own would let it through")

    return lambda packet: decides("Outbound", packet.source, packet) and decides("Inbound", packet.target, packet)


def gcp(region: Deployment) -> Callable[[Packet], bool]:
    """Rules of the network: the one of the highest priority decides, each way."""
    rules = [one.props for one in region.of("gcp:compute/firewall:Firewall")]

    def decides(direction: str, party: Party, packet: Packet) -> bool:
        if party not in OURS:
            return True
        for rule in sorted(rules, key=lambda one: one["priority"]):
            if rule["direction"] != direction or rule.get("targetTags") or rule.get("sourceTags"):
                continue
            ends = within(packet.from_address, rule.get("sourceRanges") or ["0.0.0.0/0"]) and within(
                packet.to_address, rule.get("destinationRanges") or ["0.0.0.0/0"]
            )
            for allow in rule.get("allows") or rule["denies"]:
                ports = [one.partition("-") for one in allow.get("ports") or ["0-65535"]]
                if (
                    ends
                    and allow["protocol"] in ("all", packet.protocol)
                    and any(int(low) <= packet.port <= int(high or low) for low, _, high in ports)
                ):
                    return "allows" in rule
        raise AssertionError(f"no rule decides about {packet}: Google's own would let it out")

    return lambda packet: decides("EGRESS", packet.source, packet) and decides("INGRESS", packet.target, packet)


RENDERINGS = {Cloud.AWS: aws, Cloud.AZURE: azure, Cloud.GCP: gcp}
ELSEWHERE: Mapping[Cloud, frozenset[Party]] = {
    # Load balancers on AWS bring their own groups, and do their health checks themselves.
    Cloud.AWS: frozenset({Party.PROBES, Party.PUBLIC}),
    Cloud.AZURE: frozenset(),
    Cloud.GCP: frozenset(),
}
"""Receivers whose firewall is not ours on a cloud, and parties that have no addresses there."""


def judged(cloud: Cloud, packet: Packet) -> bool:
    """Whether our firewall has both ends of a packet, or the only one that there is."""
    absent = ELSEWHERE[cloud]
    if packet.source is Party.PROBES and packet.source in absent:
        return False
    return packet.target not in absent and (packet.source not in absent or packet.target in OURS)


def test_there_are_packets_of_both_kinds() -> None:
    assert {wanted(packet) for packet in packets()} == {True, False}


@pytest.mark.parametrize("cloud", Cloud)
def test_exactly_the_wanted_packets_get_through(cloud: Cloud, regions: Mapping[Cloud, Deployment]) -> None:
    passes = RENDERINGS[cloud](regions[cloud])
    assert [one for one in packets() if judged(cloud, one) and passes(one) != wanted(one)] == []


def test_all_clouds_agree_packet_by_packet(regions: Mapping[Cloud, Deployment]) -> None:
    judges = [RENDERINGS[cloud](regions[cloud]) for cloud in Cloud]
    everywhere = [one for one in packets() if all(judged(cloud, one) for cloud in Cloud)]
    assert len(everywhere) > 500
    assert [one for one in everywhere if len({judge(one) for judge in judges}) > 1] == []


@pytest.mark.parametrize("cloud", Cloud)
def test_nothing_that_begins_on_the_internet_gets_in(cloud: Cloud, regions: Mapping[Cloud, Deployment]) -> None:
    passes = RENDERINGS[cloud](regions[cloud])
    for target, protocol, port in product(OURS - ELSEWHERE[cloud], ("tcp", "udp"), PORTS):
        assert not passes(Packet(Party.INTERNET, target, protocol, port))


def test_the_default_group_of_aws_is_empty(regions: Mapping[Cloud, Deployment]) -> None:
    default = regions[Cloud.AWS].one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert not default.props.get("ingress")
    assert not default.props.get("egress")
    for group in regions[Cloud.AWS].of("aws:ec2/securityGroup:SecurityGroup"):
        assert "ingress" not in group.props
        assert "egress" not in group.props
