from __future__ import annotations

from typing import Any

import pytest

from policies.rules import Resource, Settings
from policies.rules.values import UNKNOWN
from tests.policy.baseline import (
    CLUSTER,
    DELETED,
    group,
    judge,
    kubernetes,
    named,
    role_ref,
    service_account,
    spoil,
    tenant,
)

ACME = tenant("acme")
BOTH = [*ACME, *tenant("globex")]
USER = {"kind": "User", "name": "eve@example.org"}


def binding(*subjects: Any, namespace: str | None = None, role: dict[str, str] | None = None) -> Resource:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    reference = role or role_ref("reader", "Role" if namespace else "ClusterRole")
    return kubernetes(kind, "extra", namespace=namespace, roleRef=reference, subjects=list(subjects))


def rules_broken(resources: list[Resource], settings: Settings | None = None) -> list[str]:
    return [message.partition("]")[0][1:] for message in judge(resources, settings)]


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        (group("globex-developers"), "the group globex-developers"),
        (group("initech-developers"), "the group initech-developers"),  # lives in another stack, if at all
        (group("system:authenticated"), "the group system:authenticated"),
        (service_account("workload", "tenant-globex"), "the service account workload of the namespace tenant-globex"),
        (service_account("workload", "tenant-initech"), "the namespace tenant-initech"),
        (service_account("default", "default"), "the namespace default"),
        (USER, "the user eve@example.org"),
    ],
)
@pytest.mark.parametrize("stack", [ACME, BOTH], ids=["one tenant shown", "both shown"])
def test_only_the_tenants_own_subjects_are_bound_in_its_namespace(
    subject: dict[str, str], says: str, stack: list[Resource]
) -> None:
    bad = binding(subject, namespace="tenant-acme")
    (message,) = judge([*stack, bad])
    assert message.startswith("[tenant-bindings] RoleBinding tenant-acme-extra: binds ")
    assert says in message
    assert "; bind the groups that the namespace declares" in message


@pytest.mark.parametrize(
    "subject",
    [
        group("acme-oncall"),
        service_account("workload", "tenant-acme"),
        service_account("prometheus", "platform-monitoring"),
        service_account("controller", "kube-system"),
    ],
)
def test_own_subjects_and_the_platforms_service_accounts_may_be_bound(subject: dict[str, str]) -> None:
    assert judge([*BOTH, binding(subject, namespace="tenant-acme")]) == []


def test_a_group_of_two_tenants_is_refused() -> None:
    annotations = {"meridian.dev/groups": "globex-developers,acme-oncall"}
    stack = spoil(BOTH, "Namespace", "tenant-globex", ("metadata", "annotations"), annotations)
    bad = binding(group("acme-oncall"), namespace="tenant-acme")
    stack = spoil(stack, "Namespace", "tenant-globex", ("metadata", "annotations"), annotations)
    assert any("also the tenant globex's" in message for message in judge([*stack, bad]))


def test_a_namespace_that_declares_no_groups_binds_none() -> None:
    stack = spoil(ACME, "Namespace", "tenant-acme", ("metadata", "annotations"), DELETED)
    (message,) = judge(stack)
    assert message.startswith("[tenant-bindings] RoleBinding tenant-acme-tenant-developers: binds the group acme-devel")


def test_people_are_bound_to_no_cluster_role() -> None:
    bad = binding(group("acme-developers"), namespace="tenant-acme", role=role_ref("edit", "ClusterRole"))
    (message,) = judge([*ACME, bad])
    assert "binds people to the ClusterRole edit" in message
    good = binding(service_account("p", "platform-x"), namespace="tenant-acme", role=role_ref("view", "ClusterRole"))
    assert judge([*ACME, good]) == []


@pytest.mark.parametrize("namespace", [None, "platform-system"])
@pytest.mark.parametrize(
    "subject",
    [
        group("acme-developers"),
        group("system:authenticated"),
        group("system:serviceaccounts"),
        group("system:serviceaccounts:tenant-acme"),
        service_account("workload", "tenant-acme"),
        service_account("workload", "tenant-initech"),  # by the prefix of its name
    ],
)
def test_a_tenants_subjects_are_bound_nowhere_else(subject: dict[str, str], namespace: str | None) -> None:
    assert rules_broken([*ACME, binding(subject, namespace=namespace)]) == ["tenant-subjects"]


@pytest.mark.parametrize("namespace", [None, "platform-system"])
@pytest.mark.parametrize("subject", [group("platform-admins"), service_account("velero", "platform-backup"), USER])
def test_the_platforms_own_bindings_are_its_own(subject: dict[str, str], namespace: str | None) -> None:
    assert judge([*ACME, binding(subject, namespace=namespace)]) == []


def test_a_binding_into_another_stacks_tenant_is_refused_for_who_cannot_be_placed() -> None:
    assert rules_broken([binding(group("x"), namespace="tenant-initech")]) == ["tenant-subjects"]
    assert judge([binding(service_account("p", "platform-monitoring"), namespace="tenant-initech")]) == []


@pytest.mark.parametrize("namespace", [None, "platform-system", "tenant-acme"])
def test_nobody_gets_cluster_admin(namespace: str | None) -> None:
    subject = service_account("velero", "platform-backup")
    bad = binding(subject, namespace=namespace, role=role_ref("cluster-admin", "ClusterRole"))
    (message,) = judge([*ACME, bad])
    assert message.startswith("[no-cluster-admin] ")
    assert "hands out cluster-admin; bind a role" in message


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}, "wildcard * in verbs"),
        ({"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}, "wildcard * in resources"),
        ({"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"]}, "wildcard * in apiGroups"),
        ({"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"]}, "may impersonate"),
        ({"apiGroups": ["x"], "resources": ["roles"], "verbs": ["bind", "escalate"]}, "may bind, escalate"),
        ({"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["get", "patch"]}, "write to resourcequotas"),
        ({"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}, "serviceaccounts/token"),
        (
            {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["delete"]},
            "networkpolicies",
        ),
        ({"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["update"]}, "endpointslices"),
    ],
)
def test_a_role_leaves_the_walls_standing(rule: dict[str, list[str]], says: str) -> None:
    role = named(ACME, "Role", "tenant-developer")
    messages = judge(spoil(ACME, "Role", "tenant-developer", ("rules",), [*role.props["rules"], rule]))
    assert messages
    assert all(message.startswith("[tenant-roles] Role tenant-acme-tenant-developer: ") for message in messages)
    assert any(says in message for message in messages)


def test_reading_the_walls_is_fine() -> None:
    rule = {"apiGroups": [""], "resources": ["resourcequotas", "endpoints"], "verbs": ["get", "list", "watch"]}
    assert judge(spoil(ACME, "Role", "tenant-developer", ("rules", 0), rule)) == []


@pytest.mark.parametrize("namespace", [None, "platform-system", "tenant-acme"])
@pytest.mark.parametrize("part", ["kind", "name"])
def test_an_unknown_subject_is_decided_later(part: str, namespace: str | None) -> None:
    assert judge([*ACME, binding(group("x") | {part: UNKNOWN}, namespace=namespace)]) == []


def test_the_prefix_and_the_platforms_namespaces_can_be_set() -> None:
    settings = Settings.of({"tenantNamespacePrefix": "customer-", "platformNamespaces": ["ops"]})
    bad = binding(service_account("a", "customer-one"))
    assert rules_broken([bad], settings) == ["tenant-subjects"]
    assert rules_broken([bad]) == []
    into = binding(service_account("a", "ops"), namespace="customer-one")
    assert rules_broken([into], settings) == []


def test_another_cluster_of_the_stack_is_another_world() -> None:
    other = CLUSTER.replace("aws-usw2", "gcp-euw1")
    stranger = kubernetes(
        "ClusterRoleBinding", "x", provider=other, roleRef=role_ref("r"), subjects=[group("acme-developers")]
    )
    assert judge([*ACME, stranger]) == []
