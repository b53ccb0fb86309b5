from __future__ import annotations

from typing import Any

import pytest

from policies.rules import Resource, Settings
from policies.rules.values import UNKNOWN
from tests.policy.baseline import judge, kubernetes, tenant

ACME = tenant("acme")
NAME = "kubernetes.io/metadata.name"


def policy(direction: str, *rules: Any) -> Resource:
    spec = {"podSelector": {}, "policyTypes": [direction], direction.lower(): list(rules)}
    return kubernetes("NetworkPolicy", "extra", namespace="tenant-acme", spec=spec)


def peer(direction: str, *peers: Any) -> Resource:
    return policy(direction, {"from" if direction == "Ingress" else "to": list(peers)})


def labels(**match: Any) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": match}}


def expression(key: str, operator: str, *values: Any) -> dict[str, Any]:
    found = {"key": key, "operator": operator} | ({"values": list(values)} if values else {})
    return {"namespaceSelector": {"matchExpressions": [found]}}


BAD = [
    ({"namespaceSelector": {}}, "every namespace"),
    ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}, "every namespace"),
    (labels(**{NAME: "tenant-globex"}), NAME),
    (expression(NAME, "In", "kube-system", "tenant-globex"), NAME),
    (expression(NAME, "NotIn", "tenant-globex"), NAME),
    (expression(NAME, "Exists"), NAME),
    (labels(**{"meridian.dev/tenant": "globex"}), "meridian.dev/tenant"),
    (expression("meridian.dev/tenant", "In", "acme", "globex"), "meridian.dev/tenant"),
    (expression("meridian.dev/tenant", "Exists"), "meridian.dev/tenant"),
    (labels(team="data"), "team"),
    ({"ipBlock": {"cidr": "0.0.0.0/0"}}, "0.0.0.0/0"),
    ({"ipBlock": {"cidr": "10.0.0.0/8"}}, "10.0.0.0/8"),
    ({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}, "0.0.0.0/0"),
    ({"ipBlock": {"cidr": "100.68.12.0/24"}}, "100.68.12.0/24"),
    ({"ipBlock": {"cidr": "100.0.0.0/8", "except": ["100.64.0.0/16"]}}, "100.0.0.0/8"),
    ({"ipBlock": {"cidr": "::/0"}}, "::/0"),
]
GOOD = [
    {"podSelector": {}},
    {"podSelector": {"matchLabels": {"app": "web"}}},
    labels(**{NAME: "kube-system"}),
    labels(**{NAME: "tenant-acme"}),
    labels(**{NAME: "platform-gateway", "team": "edge"}),
    labels(**{"meridian.dev/tenant": "acme"}),
    expression("meridian.dev/tenant", "DoesNotExist"),
    expression(NAME, "In", "platform-gateway", "platform-monitoring"),
    {"ipBlock": {"cidr": "169.254.169.254/32"}},
    {"ipBlock": {"cidr": "20.190.128.0/18"}},
    {"ipBlock": {"cidr": "10.16.48.0/20"}},
    {"ipBlock": {"cidr": "100.0.0.0/8", "except": ["100.64.0.0/10"]}},
    {"ipBlock": {"cidr": "2001:db8::/48"}},
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]}},
]
UNDECIDED = [
    UNKNOWN,
    {"namespaceSelector": UNKNOWN},
    {"namespaceSelector": {"matchLabels": UNKNOWN}},
    labels(**{NAME: UNKNOWN}),
    expression(NAME, "In", UNKNOWN),
    {"ipBlock": UNKNOWN},
    {"ipBlock": {"cidr": UNKNOWN}},
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": UNKNOWN}},
]


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
@pytest.mark.parametrize(("who", "says"), BAD)
def test_a_peer_that_another_tenant_could_be_is_refused(direction: str, who: Any, says: str) -> None:
    (message,) = judge([*ACME, peer(direction, {"podSelector": {}}, who)])
    assert message.startswith("[tenant-traffic] NetworkPolicy tenant-acme-extra: ")
    assert f"{direction.lower()} rule 1 admits " in message
    assert says in message
    assert f"; select namespaces by {NAME}" in message


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
@pytest.mark.parametrize("who", GOOD)
def test_a_peer_that_no_other_tenant_can_be_is_fine(direction: str, who: Any) -> None:
    assert judge([*ACME, peer(direction, who)]) == []


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
@pytest.mark.parametrize("who", UNDECIDED)
def test_an_unknown_peer_is_decided_later(direction: str, who: Any) -> None:
    assert judge([*ACME, peer(direction, who)]) == []


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
@pytest.mark.parametrize("rule", [{}, {"ports": [{"protocol": "TCP", "port": 443}]}, {"from": [], "to": []}])
def test_a_rule_without_peers_admits_everybody(direction: str, rule: dict[str, Any]) -> None:
    (message,) = judge([*ACME, policy(direction, rule)])
    assert f"{direction.lower()} rule 1 names no peer" in message


def test_the_ranges_of_pods_can_be_set() -> None:
    who = {"ipBlock": {"cidr": "10.200.3.0/24"}}
    settings = Settings.of({"podRanges": ["10.200.0.0/16"]})
    assert judge([*ACME, peer("Egress", who)]) == []
    (message,) = judge([*ACME, peer("Egress", who)], settings)
    assert "admits 10.200.3.0/24" in message


def test_the_number_of_the_rule_is_told() -> None:
    (message,) = judge([*ACME, policy("Ingress", {"from": [{"podSelector": {}}]}, {})])
    assert "ingress rule 2" in message


def test_namespaces_of_the_platform_are_not_judged() -> None:
    open_ = kubernetes("NetworkPolicy", "open", namespace="platform-gateway", spec={"podSelector": {}, "ingress": [{}]})
    assert judge([*ACME, open_]) == []
