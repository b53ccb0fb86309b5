"""NetworkPolicies of a tenant admit no other tenant.

Policies add up: one that is too wide undoes default-deny whatever the others say. Each rule of each policy in a
tenant's namespace is judged by whom its peers *could* select, so it holds for tenants of other stacks and of the
future. What needs all stacks together, such as a path over a third namespace, is not seen here.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, ip_network
from typing import Any

from .kubernetes import NETWORK_POLICY, Namespace, clusters, peers_of, requirements, rules_of
from .model import Finding, Severity, Stack, StackRule
from .settings import Settings
from .values import UNKNOWN, Unknown, dig, items

_NAME = "kubernetes.io/metadata.name"
_PRIVATE = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
_SINGLE_SITE = 32
"""IPv6 blocks larger than this (prefix length) span more than one network of one organisation."""


def _keeps_out_tenants(requirement: tuple[Any, Any, Any], space: Namespace, settings: Settings) -> bool:
    """Whether one requirement of a namespace selector already rules out every other tenant's namespace."""
    key, operator, values = requirement
    if UNKNOWN in requirement or space.name is UNKNOWN or space.tenant is UNKNOWN:
        return True  # decided on `up`
    if key == settings.tenant_label:
        return operator == "DoesNotExist" or (operator == "In" and set(values) <= {space.tenant, UNKNOWN})
    if key == _NAME and operator == "In":
        return all(
            value is UNKNOWN or value == space.name or not str(value).startswith(settings.tenant_namespace_prefix)
            for value in values
        )
    return False


def _holds_pods(block: Any, settings: Settings) -> bool:
    """Whether an address block touches a range of pods, or contains a whole private range and whatever lives there."""
    cidr = dig(block, "cidr")
    if not isinstance(cidr, str):
        return False
    network = ip_network(cidr, strict=False)
    if not isinstance(network, IPv4Network):
        return network.prefixlen < _SINGLE_SITE
    excepted = items(dig(block, "except"))
    if isinstance(excepted, Unknown) or UNKNOWN in excepted:
        return False
    left_out = [IPv4Network(text, strict=False) for text in excepted]
    pods = [IPv4Network(text, strict=False) for text in settings.pod_ranges]
    shared = [min(network, each, key=lambda one: one.num_addresses) for each in pods if each.overlaps(network)]
    whole = [each for each in _PRIVATE if each.subnet_of(network)]
    return not all(any(part.subnet_of(out) for out in left_out) for part in [*shared, *whole])


def _wrong_with(peer: Any, space: Namespace, settings: Settings) -> str | None:
    if peer is UNKNOWN:
        return None
    selector = dig(peer, "namespaceSelector")
    if selector is not None and selector is not UNKNOWN:
        wanted = list(requirements(selector))
        if not wanted:
            return "every namespace"
        if not any(_keeps_out_tenants(requirement, space, settings) for requirement in wanted):
            keys = ", ".join(sorted({str(key) for key, _, _ in wanted}))
            return f"namespaces by {keys}, which other tenants' may bear"
    if _holds_pods(dig(peer, "ipBlock"), settings):
        return f"{dig(peer, 'ipBlock', 'cidr')}, which holds other tenants' pods"
    return None


def _closed(stack: Stack, settings: Settings) -> Iterator[Finding]:
    for space in clusters(stack, settings).tenants():
        for policy in space.objects[NETWORK_POLICY]:
            for direction in ("Ingress", "Egress"):
                rules = rules_of(dig(policy.props, "spec"), direction)
                for number, rule in enumerate(() if isinstance(rules, Unknown) else rules, start=1):
                    where = f"{direction.lower()} rule {number}"
                    peers = peers_of(rule, direction)
                    if rule is UNKNOWN or isinstance(peers, Unknown):
                        continue
                    if not peers:
                        yield Finding(policy, f"{where} names no peer, so it admits everybody")
                    for peer in peers:
                        if wrong := _wrong_with(peer, space, settings):
                            yield Finding(policy, f"{where} admits {wrong}")


TENANT_TRAFFIC = StackRule(
    name="tenant-traffic",
    why="One policy that is too wide undoes default-deny, whatever the others say.",
    source="https://kubernetes.io/docs/concepts/services-networking/network-policies/; requirements T05, Y02",
    fix=f"select namespaces by {_NAME}, and addresses by ranges that hold no pods",
    severity=Severity.CRITICAL,
    check=_closed,
)
