"""What a tenant's network policies must close, and what they must leave open.

Each question is "may it be so?": what is unknown counts as yes, and is asked again on `up`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .kubernetes import (
    NETWORK_POLICY,
    Clusters,
    Namespace,
    may_govern,
    may_select_all,
    peers_of,
    requirements,
    rules_of,
)
from .model import Finding, Severity
from .per_tenant import per_tenant
from .settings import Settings
from .values import UNKNOWN, Unknown, dig, items

_NAME = "kubernetes.io/metadata.name"


def _specs(space: Namespace, found: Clusters) -> Sequence[Any] | Unknown:
    policies = found.inside(space, NETWORK_POLICY)
    if isinstance(policies, Unknown):
        return UNKNOWN
    return [dig(policy.props, "spec") for policy in policies]


def _may_deny(spec: Any, direction: str) -> bool:
    rules = rules_of(spec, direction)
    return (
        may_select_all(dig(spec, "podSelector"))
        and may_govern(spec, direction)
        and (isinstance(rules, Unknown) or not rules)
    )


def _default_deny(space: Namespace, found: Clusters, _: Settings) -> Iterator[Finding]:
    specs = _specs(space, found)
    if isinstance(specs, Unknown):
        return
    for direction in ("Ingress", "Egress"):
        if not any(_may_deny(spec, direction) for spec in specs):
            yield Finding(
                space.resource,
                f"has no NetworkPolicy that denies {direction.lower()} by default",
                fix="add a NetworkPolicy with an empty podSelector, the policyTypes Ingress and Egress, and no rules",
            )


def _openings_in(specs: Sequence[Any], direction: str) -> Iterator[tuple[Any, Sequence[tuple[Any, Any]] | Unknown]]:
    """Peer, and (protocol, port) pairs, of everything that policies for all pods open. No pairs: every port."""
    for spec in specs:
        rules = rules_of(spec, direction)
        if not may_select_all(dig(spec, "podSelector")) or not may_govern(spec, direction):
            continue
        for rule in [UNKNOWN] if isinstance(rules, Unknown) else rules:
            peers, ports = peers_of(rule, direction), items(dig(rule, "ports"))
            pairs = (
                UNKNOWN
                if isinstance(ports, Unknown) or UNKNOWN in ports
                else [(dig(port, "protocol") or "TCP", dig(port, "port")) for port in ports]
            )
            for peer in [UNKNOWN] if isinstance(peers, Unknown) else peers:
                yield peer, pairs


def _may_resolve(peer: Any, ports: Sequence[tuple[Any, Any]] | Unknown) -> bool:
    wanted = list(requirements(dig(peer, "namespaceSelector")))
    to_resolvers = peer is UNKNOWN or any(
        key is UNKNOWN or (key == _NAME and (values is UNKNOWN or "kube-system" in values or UNKNOWN in values))
        for key, _, values in wanted
    )
    return to_resolvers and all(_may_open(ports, protocol, 53) for protocol in ("UDP", "TCP"))


def _may_open(ports: Sequence[tuple[Any, Any]] | Unknown, protocol: str, number: int) -> bool:
    return (
        isinstance(ports, Unknown)
        or not ports
        or any(each[0] in (protocol, UNKNOWN) and each[1] in (number, None, UNKNOWN) for each in ports)
    )


def _may_be_own_pods(peer: Any) -> bool:
    if peer is UNKNOWN:
        return True
    return dig(peer, "namespaceSelector") in (None, UNKNOWN) and may_select_all(dig(peer, "podSelector"))


def _may_identify(peer: Any, ports: Sequence[tuple[Any, Any]] | Unknown) -> bool:
    """Whether it leads to addresses outside the cluster, on named TCP ports other than DNS."""
    outside = peer is UNKNOWN or bool(dig(peer, "ipBlock"))
    return outside and (
        isinstance(ports, Unknown) or any(each[0] in ("TCP", UNKNOWN) and each[1] not in (53, None) for each in ports)
    )


def _openings(space: Namespace, found: Clusters, _: Settings) -> Iterator[Finding]:
    specs = _specs(space, found)
    if isinstance(specs, Unknown):
        return
    egress, ingress = list(_openings_in(specs, "Egress")), list(_openings_in(specs, "Ingress"))
    if not any(_may_resolve(peer, ports) for peer, ports in egress):
        yield Finding(
            space.resource,
            "has no NetworkPolicy that lets its pods resolve names",
            fix=f"allow egress on UDP and TCP 53 to namespaces with {_NAME}: kube-system",
        )
    for opened, word in ((ingress, "ingress from"), (egress, "egress to")):
        if not any(_may_be_own_pods(peer) and (isinstance(ports, Unknown) or not ports) for peer, ports in opened):
            yield Finding(
                space.resource,
                f"has no NetworkPolicy that opens {word} its own pods",
                fix=f"allow {word} an empty podSelector without namespaceSelector",
            )
    if not any(_may_identify(peer, ports) for peer, ports in egress):
        yield Finding(
            space.resource,
            "has no NetworkPolicy that lets its pods reach the cloud's identity endpoint",
            fix="allow egress on TCP to the ipBlock from which pods of this cloud fetch their credentials",
        )


_NSA = "NSA/CISA Kubernetes Hardening Guide 1.2"

RULES = (
    per_tenant(
        "tenant-default-deny",
        _default_deny,
        why="Every pod of a cluster can reach every other until a policy selects it.",
        source=f"{_NSA}, network separation; CIS Kubernetes 5.3.2; requirement T05",
        fix="deny both directions by default",
        severity=Severity.CRITICAL,
    ),
    per_tenant(
        "tenant-openings",
        _openings,
        why="Default-deny alone cuts workloads off from names, from each other and from their identity.",
        source="requirement T05; https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html",
        fix="open what every workload needs",
        severity=Severity.HIGH,
    ),
)
