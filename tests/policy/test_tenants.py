"""One compliant tenant; each test takes away or spoils one thing and expects the rule, the object and the fix named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from policies.rules.model import Resource
from policies.rules.values import UNKNOWN
from tests.policy.baseline import CLUSTER, DELETED, NAMES, judge, kubernetes, named, spoil, tenant, without

ACME = tenant("acme")
BOTH = [*ACME, *tenant("globex")]


def test_a_complete_tenant_breaks_no_rule() -> None:
    assert judge(ACME) == []


def test_two_complete_tenants_break_no_rule() -> None:
    assert judge(BOTH) == []


@pytest.mark.parametrize(
    ("kind", "name", "rule", "says"),
    [
        ("ResourceQuota", "quota", "tenant-quota", "no ResourceQuota"),
        ("ResourceQuota", "no-platform-priority", "tenant-priorities", "platform-critical, system-cluster-critical"),
        ("LimitRange", "limits", "tenant-limits", "no LimitRange"),
        ("NetworkPolicy", "default-deny", "tenant-default-deny", "denies ingress by default"),
        ("NetworkPolicy", "default-deny", "tenant-default-deny", "denies egress by default"),
        ("NetworkPolicy", "allow-dns", "tenant-openings", "resolve names"),
        ("NetworkPolicy", "allow-own-namespace", "tenant-openings", "ingress from its own pods"),
        ("NetworkPolicy", "allow-own-namespace", "tenant-openings", "egress to its own pods"),
        ("NetworkPolicy", "allow-identity", "tenant-openings", "identity endpoint"),
        ("ServiceAccount", "workload", "tenant-service-account", "no ServiceAccount"),
        ("Role", "tenant-developer", "tenant-rights", "no Role"),
        ("RoleBinding", "tenant-developers", "tenant-rights", "no RoleBinding"),
    ],
)
def test_a_missing_object_is_noticed(kind: str, name: str, rule: str, says: str) -> None:
    for others in ([], tenant("globex")):  # another tenant's objects do not stand in for it
        messages = judge([*without(ACME, kind, name), *others])
        (found,) = [message for message in messages if says in message and "tenant-acme" in message]
        assert found.startswith(f"[{rule}] Namespace ")
        assert "; " in found


POD_SECURITY = ("metadata", "labels", "pod-security.kubernetes.io/enforce")
EGRESS = ("spec", "egress", 0)
PRIORITY = "no-platform-priority"
SCOPE = ("spec", "scopeSelector", "matchExpressions", 0)

SPOILED: list[tuple[str, str, Sequence[str | int], Any, str, str]] = [
    ("Namespace", "tenant-acme", POD_SECURITY, "baseline", "tenant-pod-security", "level baseline"),
    ("Namespace", "tenant-acme", POD_SECURITY, DELETED, "tenant-pod-security", "privileged"),
    ("Namespace", "tenant-acme", ("metadata", "labels", "meridian.dev/tenant"), DELETED, "tenant-label", "no label"),
    ("Namespace", "tenant-acme", ("metadata", "labels", "meridian.dev/tenant"), "other", "tenant-label", "other's"),
    *(
        ("ResourceQuota", "quota", ("spec", "hard", bound), DELETED, "tenant-quota", f"for {bound};")
        for bound in named(ACME, "ResourceQuota", "quota").props["spec"]["hard"]
    ),
    ("ResourceQuota", "quota", ("spec", "scopes"), ["Terminating"], "tenant-quota", "no ResourceQuota that bounds all"),
    ("ResourceQuota", PRIORITY, ("spec", "hard", "pods"), "5", "tenant-priorities", "system-node-critical"),
    ("ResourceQuota", PRIORITY, (*SCOPE, "values"), ["platform-critical"], "tenant-priorities", "system-node-critical"),
    ("ResourceQuota", PRIORITY, (*SCOPE, "operator"), "NotIn", "tenant-priorities", "platform-critical"),
    *(
        (
            "LimitRange",
            "limits",
            ("spec", "limits", 0, kind, resource),
            DELETED,
            "tenant-limits",
            f"{kind} of {resource}",
        )
        for kind in ("default", "defaultRequest")
        for resource in ("cpu", "memory")
    ),
    ("LimitRange", "limits", ("spec", "limits", 0, "type"), "Pod", "tenant-limits", "default of cpu"),
    *(
        ("NetworkPolicy", "default-deny", path, value, "tenant-default-deny", f"denies {direction} by default")
        for direction, path, value in [
            ("egress", ("spec", "policyTypes"), ["Ingress"]),
            ("ingress", ("spec", "policyTypes"), ["Egress"]),
            ("ingress", ("spec", "podSelector"), {"matchLabels": {"app": "web"}}),
            ("egress", ("spec", "egress"), [{"to": [{"podSelector": {}}]}]),
        ]
    ),
    ("NetworkPolicy", "allow-dns", (*EGRESS, "ports"), [{"protocol": "UDP", "port": 53}], "tenant-openings", "names"),
    ("NetworkPolicy", "allow-dns", (*EGRESS, "to", 0, "namespaceSelector"), {}, "tenant-openings", "resolve names"),
    ("NetworkPolicy", "allow-identity", (*EGRESS, "ports"), DELETED, "tenant-openings", "identity endpoint"),
    ("ServiceAccount", "workload", ("automountServiceAccountToken",), True, "tenant-service-account", "mounts a token"),
    ("ServiceAccount", "workload", ("automountServiceAccountToken",), DELETED, "tenant-service-account", "mounts a"),
]


@pytest.mark.parametrize(("kind", "name", "path", "value", "rule", "says"), SPOILED)
def test_a_spoiled_property_is_noticed(
    kind: str, name: str, path: Sequence[str | int], value: Any, rule: str, says: str
) -> None:
    messages = judge(spoil(ACME, kind, name, path, value))
    assert any(message.startswith(f"[{rule}] ") and says in message for message in messages), messages


@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [
        ("Namespace", "tenant-acme", ("metadata", "labels")),
        ("Namespace", "tenant-acme", ("metadata", "annotations")),
        ("Namespace", "tenant-acme", ("metadata", "labels", "meridian.dev/owner")),
        ("Namespace", "tenant-acme", ("metadata", "name")),
        ("Namespace", "tenant-acme", ("metadata",)),
        *((kind, name, ("spec",)) for kind, name in [("ResourceQuota", "quota"), ("LimitRange", "limits")]),
        ("ResourceQuota", "quota", ("spec", "hard")),
        ("ResourceQuota", "quota", ("spec", "hard", "pods")),
        *(
            ("ResourceQuota", PRIORITY, path)
            for path in [("spec",), ("spec", "hard"), ("spec", "hard", "pods"), ("spec", "scopeSelector"), SCOPE]
        ),
        ("ResourceQuota", PRIORITY, (*SCOPE, "values")),
        ("ResourceQuota", PRIORITY, (*SCOPE, "operator")),
        ("LimitRange", "limits", ("spec", "limits")),
        ("LimitRange", "limits", ("spec", "limits", 0)),
        *(
            ("NetworkPolicy", name, path)
            for name in ("default-deny", "allow-dns", "allow-own-namespace", "allow-identity")
            for path in [("spec",), ("spec", "podSelector"), ("spec", "policyTypes")]
        ),
        ("NetworkPolicy", "allow-identity", ("spec", "egress")),
        ("NetworkPolicy", "allow-identity", EGRESS),
        ("NetworkPolicy", "allow-identity", (*EGRESS, "to")),
        ("NetworkPolicy", "allow-identity", (*EGRESS, "to", 0)),
        ("NetworkPolicy", "allow-identity", (*EGRESS, "to", 0, "ipBlock", "cidr")),
        ("NetworkPolicy", "allow-identity", (*EGRESS, "ports")),
        ("NetworkPolicy", "allow-identity", (*EGRESS, "ports", 0, "port")),
        ("NetworkPolicy", "allow-dns", (*EGRESS, "to", 0, "namespaceSelector")),
        ("ServiceAccount", "workload", ("metadata", "annotations")),
        ("ServiceAccount", "workload", ("automountServiceAccountToken",)),
        ("Role", "tenant-developer", ("rules",)),
        ("RoleBinding", "tenant-developers", ("subjects",)),
        ("RoleBinding", "tenant-developers", ("subjects", 0, "name")),
        ("RoleBinding", "tenant-developers", ("roleRef",)),
    ],
)
def test_an_unknown_value_raises_nothing_and_accuses_nobody(kind: str, name: str, path: Sequence[str | int]) -> None:
    assert judge(spoil(ACME, kind, name, path, UNKNOWN)) == []


@pytest.mark.parametrize(("kind", "name"), [("ServiceAccount", "workload"), ("NetworkPolicy", "allow-identity")])
def test_an_unknown_value_silences_no_other_rule(kind: str, name: str) -> None:
    resources = spoil(without(ACME, "ResourceQuota", "quota"), kind, name, ("metadata", "labels"), UNKNOWN)
    assert [message.split("]")[0] for message in judge(resources)] == ["[tenant-quota"]


def _in_unknown_namespace(resources: list[Resource], *, depends: bool) -> list[Resource]:
    """As a foreign program declares it: `namespace=ns.metadata.name`, unknown before the cluster exists."""
    home = named(resources, "Namespace", "tenant-acme")
    return [
        each
        if each is home
        else replace(
            each,
            props={**each.props, "metadata": {**each.props["metadata"], "namespace": UNKNOWN}},
            depends_on={"metadata": (home.urn,)} if depends else {},
        )
        for each in resources
    ]


def test_objects_are_found_by_what_their_unknown_namespace_comes_from() -> None:
    assert judge(_in_unknown_namespace(ACME, depends=True)) == []
    messages = judge(_in_unknown_namespace(without(ACME, "ResourceQuota", "quota"), depends=True))
    assert [message.split("]")[0] for message in messages] == ["[tenant-quota"]


def test_what_could_still_be_there_is_not_called_missing() -> None:
    assert judge(_in_unknown_namespace(ACME, depends=False)) == []


def test_the_same_namespace_of_two_clusters_is_two_namespaces() -> None:
    other = CLUSTER.replace("aws-usw2", "gcp-euw1")
    elsewhere = [replace(each, urn=f"{each.urn}-2") for each in tenant("acme", provider=other)]
    assert judge([*ACME, *elsewhere]) == []
    messages = judge([*ACME, *without(elsewhere, "ResourceQuota", "quota")])
    assert [message.split("]")[0] for message in messages] == ["[tenant-quota"]


def test_a_namespace_of_the_platform_needs_none_of_this() -> None:
    labels = dict(named(ACME, "Namespace", "tenant-acme").props["metadata"]["labels"])
    del labels["meridian.dev/tenant"]
    assert judge([kubernetes("Namespace", "platform-system", metadata={"labels": labels})]) == []


def test_every_kind_of_the_baseline_is_judged() -> None:
    assert {each.type for each in ACME} == set(NAMES.values()) - {NAMES["ClusterRoleBinding"]}
