"""Which changes are updates, which need a new object, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kubernetes.difference import Change, Options, compare
from sandbox.wire import UNKNOWN, secret


def of(api_version: str, kind: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, **rest}


def test_equal_inputs_have_no_difference() -> None:
    one = of("v1", "Service", spec={"ports": [{"port": 80}]})
    assert compare(one, {**one, "metadata": {"name": "x", "namespace": "n"}}, Options()).changes == {}


def test_paths_and_kinds_are_the_engines() -> None:
    old = of("v1", "Service", spec={"a": 1, "ports": [{"port": 80}, {"port": 81}]})
    new = of("v1", "Service", spec={"b": 1, "ports": [{"port": 82}]})
    new["metadata"]["labels"] = {"app.kubernetes.io/name": "x"}
    assert compare(old, new, Options()).changes == {
        "metadata.labels": Change.ADD,
        "spec.a": Change.DELETE,
        "spec.b": Change.ADD,
        "spec.ports[0].port": Change.UPDATE,
        "spec.ports[1]": Change.DELETE,
    }


def test_a_key_with_dots_is_quoted() -> None:
    old, new = of("v1", "Namespace"), of("v1", "Namespace")
    old["metadata"]["labels"], new["metadata"]["labels"] = {"a.b/c": "1"}, {"a.b/c": "2"}
    assert list(compare(old, new, Options()).changes) == ['metadata.labels["a.b/c"]']


def test_the_default_namespace_may_be_left_out() -> None:
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    new = {**old, "metadata": {"name": "x", "namespace": "default"}}
    assert not compare(old, new, Options()).changes


def test_true_is_not_one() -> None:
    assert compare(of("v1", "Pod", a=1), of("v1", "Pod", a=True), Options()).changes == {"a": Change.UPDATE}


REPLACED = [
    ("rbac.authorization.k8s.io/v1", "RoleBinding", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}),
    ("apps/v1", "Deployment", {"spec": {"selector": {"matchLabels": {"a": "1"}}}}, {"spec": {"selector": {}}}),
    ("batch/v1", "Job", {"spec": {"template": {"x": 1}}}, {"spec": {"template": {"x": 2}}}),
    ("v1", "Service", {"spec": {"clusterIP": "None"}}, {"spec": {}}),
    ("v1", "Service", {"spec": {"clusterIP": "None"}}, {}),
    ("v1", "PersistentVolumeClaim", {"spec": {"storageClassName": "a"}}, {"spec": {"storageClassName": "b"}}),
    ("v1", "Secret", {"data": {"a": "1"}}, {"data": {"a": "2"}}),
    ("v1", "ConfigMap", {"data": {"a": "1"}}, {"data": {"a": "2"}}),
    ("v1", "Pod", {"spec": {"containers": [{"image": "a"}]}}, {"spec": {"containers": [{"image": "b"}]}}),
    ("storage.k8s.io/v1", "StorageClass", {"parameters": {"t": "a"}}, {"parameters": {"t": "b"}}),
    ("v1", "ResourceQuota", {"spec": {"scopes": ["a"]}}, {"spec": {"scopes": ["b"]}}),
]


@pytest.mark.parametrize(("api_version", "kind", "old", "new"), REPLACED)
def test_immutable_fields_replace(api_version: str, kind: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    found = compare(of(api_version, kind, **old), of(api_version, kind, **new), Options())
    assert found.replaces
    assert found.delete_first
    assert all(found.changes[path] % 2 for path in found.replaces)


UPDATED = [
    ("v1", "ResourceQuota", {"spec": {"hard": {"pods": "1"}}}, {"spec": {"hard": {"pods": "2"}}}),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", {"subjects": [{"name": "a"}]}, {"subjects": [{"name": "b"}]}),
    ("apps/v1", "Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}),
    ("v1", "Service", {"spec": {"ports": [{"port": 1}]}}, {}),
    ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"egress": []}}, {"spec": {"egress": [{}]}}),
    ("example.org/v1", "Job", {"spec": {"template": {"x": 1}}}, {"spec": {"template": {"x": 2}}}),
]


@pytest.mark.parametrize(("api_version", "kind", "old", "new"), UPDATED)
def test_other_fields_do_not(api_version: str, kind: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    found = compare(of(api_version, kind, **old), of(api_version, kind, **new), Options())
    assert found.changes
    assert not found.replaces


def test_options_make_data_mutable_unless_the_object_says_immutable() -> None:
    options = Options(mutable_config_maps=True, mutable_secrets=True)
    for kind in ("ConfigMap", "Secret"):
        old, new = of("v1", kind, data={"a": "1"}), of("v1", kind, data={"a": "2"})
        assert not compare(old, new, options).replaces
        assert compare({**old, "immutable": True}, {**new, "immutable": True}, options).replaces


def test_a_name_is_an_identity_and_a_generated_one_is_replaced_after() -> None:
    old, new = of("v1", "Namespace"), of("v1", "Namespace")
    new["metadata"] = {"name": "y"}
    found = compare(old, new, Options())
    assert found.replaces == ["metadata.name", "metadata.namespace"]
    assert not found.delete_first
    autonamed = {"name": "x-1", "annotations": {"pulumi.com/autonamed": "true"}}
    first, second = of("v1", "Secret", data={"a": "1"}), of("v1", "Secret", data={"a": "2"})
    first["metadata"] = second["metadata"] = autonamed
    assert compare(first, second, Options()).replaces == ["data.a"]
    assert not compare(first, second, Options()).delete_first


SAME = [("1000m", "1"), ("1Gi", "1024Mi"), ("0.5", "500m"), (2, "2"), ("1e3", "1k"), ("1E", "1000P"), ("1.0", "1")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_quantity_may_be_spelt_in_two_ways(one: Any, other: Any) -> None:
    old, new = (
        of("v1", "ResourceQuota", spec={"hard": {"a": one}}),
        of("v1", "ResourceQuota", spec={"hard": {"a": other}}),
    )
    assert not compare(old, new, Options()).changes
    limits = [of("v1", "Pod", spec={"containers": [{"resources": {"limits": {"cpu": size}}}]}) for size in (one, other)]
    assert not compare(limits[0], limits[1], Options()).changes
    elsewhere = [of("example.org/v1", "X", spec={"hard": {"a": size}}) for size in (one, other)]
    assert compare(elsewhere[0], elsewhere[1], Options()).changes


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1m"), ("1G", "1Gi"), ("x", "X"), ("1", "1.1"), ("", "0"), (".", "0")]
)
def test_other_quantities_differ(one: str, other: str) -> None:
    old, new = (
        of("v1", "ResourceQuota", spec={"hard": {"a": one}}),
        of("v1", "ResourceQuota", spec={"hard": {"a": other}}),
    )
    assert compare(old, new, Options()).changes


def test_unknown_and_secret_values_are_compared() -> None:
    old = of("v1", "Namespace", spec={"a": secret("1")})
    assert not compare(old, of("v1", "Namespace", spec={"a": "1"}), Options()).changes
    assert compare(old, of("v1", "Namespace", spec={"a": UNKNOWN}), Options()).changes == {"spec.a": Change.UPDATE}


def test_ignored_paths_are_left_out() -> None:
    old, new = of("apps/v1", "Deployment", spec={"replicas": 1}), of("apps/v1", "Deployment", spec={"replicas": 2})
    assert not compare(old, new, Options(), ["spec.replicas"]).changes
    assert not compare(old, new, Options(), ["spec"]).changes
    assert compare(old, new, Options(), ["spec.rep"]).changes
