"""The stand-in provider against a real API server: objects come, change, drift and go as they would for real."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.wire import UNKNOWN
from tests.sandbox_kubernetes.conftest import Sandbox
from tests.sandbox_kubernetes.engine import (
    BINDING,
    CONFIG_MAP,
    NAMESPACE,
    POLICY,
    QUOTA,
    Engine,
    Refused,
    quota,
)


def test_a_name_is_generated_and_kept(engine: Engine) -> None:
    checked = engine.check(NAMESPACE, "acme", {"metadata": {"labels": {"a": "1"}}})
    assert checked == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "acme-01020304",
            "annotations": {"pulumi.com/autonamed": "true"},
            "labels": {"a": "1"},
        },
    }
    assert engine.check(NAMESPACE, "renamed", {}, checked)["metadata"]["name"] == "acme-01020304"


def test_a_name_that_was_given_up_is_generated_anew(engine: Engine) -> None:
    checked = engine.check(NAMESPACE, "acme", {}, engine.check(NAMESPACE, "acme", {"metadata": {"name": "mine"}}))
    assert checked["metadata"]["name"] == "acme-01020304"


def test_the_default_namespace_is_filled_in_where_there_is_one(engine: Engine) -> None:
    assert engine.check(CONFIG_MAP, "c", {})["metadata"]["namespace"] == "default"
    assert "namespace" not in engine.check("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "c", {})["metadata"]


def test_without_a_known_kubeconfig_a_preview_echoes_the_inputs(sandbox: Sandbox) -> None:
    fresh = Engine(sandbox.port, None)
    checked = fresh.check(CONFIG_MAP, "c", {"metadata": {"namespace": UNKNOWN}, "data": {"a": UNKNOWN}})
    assert checked["metadata"]["namespace"] == UNKNOWN
    assert fresh.preview(CONFIG_MAP, "c", {"data": {"a": UNKNOWN}}) == fresh.check(
        CONFIG_MAP, "c", {"data": {"a": UNKNOWN}}
    )
    fresh.channel.close()


def test_a_namespace_is_created_read_and_deleted(engine: Engine, sandbox: Sandbox) -> None:
    made = engine.create(NAMESPACE, "acme", {"metadata": {"labels": {"a": "1"}}})
    assert made.id == "acme-01020304"
    assert made.outputs["status"] == {"phase": "Active"}
    assert made.outputs["metadata"]["uid"]
    assert "managedFields" not in made.outputs["metadata"]
    now = engine.refresh(made)
    assert now
    assert now.inputs == made.inputs
    engine.delete(made)
    assert engine.refresh(made) is None
    assert sandbox.api().get("v1", "Namespace", "", made.id) is None
    engine.delete(made)  # What is gone is deleted.


def test_a_namespace_takes_all_its_content_along(engine: Engine, namespace: str) -> None:
    inside = engine.create(QUOTA, "quota", quota(namespace, pods="1"))
    engine.delete(_made_namespace(engine, namespace))
    assert engine.refresh(inside) is None


def _made_namespace(engine: Engine, name: str) -> Any:
    found = engine.imported(NAMESPACE, name, name)
    assert found
    return found


def test_a_quota_is_counted_before_it_counts_as_created(engine: Engine, namespace: str) -> None:
    made = engine.create(QUOTA, "quota", quota(namespace, pods="10", **{"requests.cpu": "1000m"}))
    assert made.id == f"{namespace}/quota"
    assert made.outputs["status"]["hard"] == {"pods": "10", "requests.cpu": "1"}
    assert made.outputs["status"]["used"] == {"pods": "0", "requests.cpu": "0"}


def test_an_update_adds_changes_and_removes(engine: Engine, namespace: str) -> None:
    made = engine.create(QUOTA, "quota", quota(namespace, pods="10", services="5"))
    news = quota(namespace, pods="20", secrets="1")
    found = engine.diff(made, news)
    assert {path: change.kind for path, change in found.detailedDiff.items()} == {
        "spec.hard.pods": provider_pb2.PropertyDiff.UPDATE,
        "spec.hard.secrets": provider_pb2.PropertyDiff.ADD,
        "spec.hard.services": provider_pb2.PropertyDiff.DELETE,
    }
    assert not found.replaces
    preview = engine.update(made, news, preview=True)
    assert preview.outputs["spec"]["hard"] == {"pods": "20", "secrets": "1"}
    assert preview.outputs["metadata"]["uid"] == made.outputs["metadata"]["uid"]
    unchanged = engine.refresh(made)
    assert unchanged
    assert unchanged.inputs == made.inputs
    updated = engine.update(made, news)
    assert updated.outputs["status"]["hard"] == {"pods": "20", "secrets": "1"}
    assert updated.outputs["__fieldManager"] == made.outputs["__fieldManager"]


def test_an_update_with_unknown_values_keeps_the_rest_known_in_a_preview(engine: Engine, namespace: str) -> None:
    made = engine.create(QUOTA, "quota", quota(namespace, pods="10"))
    preview = engine.update(made, quota(namespace, pods=UNKNOWN), preview=True)
    assert preview.outputs["spec"]["hard"] == {"pods": UNKNOWN}
    assert preview.outputs["metadata"]["uid"] == made.outputs["metadata"]["uid"]


def test_an_immutable_field_is_replaced_and_really_can_be(engine: Engine, namespace: str) -> None:
    def binding(role: str) -> dict[str, Any]:
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "g"}
        return {"metadata": {"name": "b", "namespace": namespace}, "roleRef": reference, "subjects": [subject]}

    made = engine.create(BINDING, "b", binding("one"))
    found = engine.diff(made, binding("two"))
    assert list(found.replaces) == ["roleRef.name"]
    assert found.deleteBeforeReplace
    with pytest.raises(Refused) as error:
        engine.update(made, binding("two"))
    assert "cannot change roleRef" in str(error.value)
    engine.delete(made)
    assert engine.create(BINDING, "b", binding("two")).outputs["roleRef"]["name"] == "two"


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "create"])
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"hrd": {"pods": "1"}}, ".spec.hrd: field not declared in schema"),
        ({"hard": "many"}, ".spec.hard: expected map"),
        ({"hard": {"pods": "ten"}}, "quantities must match"),
        ({"hard": {"pods": "1"}, "scopes": ["Nonsense"]}, "unsupported scope"),
    ],
)
def test_mistakes_are_refused_by_the_real_schema(
    engine: Engine, namespace: str, spec: dict[str, Any], message: str, preview: bool
) -> None:
    inputs = {"metadata": {"name": "quota", "namespace": namespace}, "spec": spec}
    with pytest.raises(Refused) as error:
        (engine.preview if preview else engine.create)(QUOTA, "quota", inputs)
    assert message in str(error.value)
    assert f"ResourceQuota {namespace}/quota" in str(error.value)


def test_a_preview_says_what_the_server_would_fill_in(engine: Engine, namespace: str) -> None:
    shown = engine.preview(POLICY, "deny", {"metadata": {"namespace": namespace}, "spec": {"podSelector": {}}})
    assert shown["spec"]["policyTypes"] == ["Ingress"]
    assert shown["metadata"]["uid"] == UNKNOWN
    assert engine.preview(NAMESPACE, "new", {})["status"] == UNKNOWN


def test_a_preview_bears_with_a_namespace_that_does_not_exist_yet(engine: Engine) -> None:
    inputs = quota("not-yet", pods="1")
    assert engine.preview(QUOTA, "quota", inputs) == engine.check(QUOTA, "quota", inputs)
    with pytest.raises(Refused) as error:
        engine.preview(QUOTA, "quota", {**inputs, "spec": {"hrd": {}}})
    assert "spec.hrd" in str(error.value)
    with pytest.raises(Refused) as error:
        engine.create(QUOTA, "quota", inputs)
    assert 'namespaces "not-yet" not found' in str(error.value)


def test_what_exists_is_not_taken_over(engine: Engine, sandbox: Sandbox, namespace: str) -> None:
    made = engine.create(QUOTA, "quota", quota(namespace, pods="1"))
    with pytest.raises(Refused) as error:
        engine.create(QUOTA, "other", quota(namespace, pods="2"))
    assert "exists already" in str(error.value)
    assert engine.preview(QUOTA, "other", quota(namespace, pods="2"))  # A replacement's preview meets the old one.
    upserting = Engine(
        sandbox.port, {**(engine.arguments or {}), "upsertExistingObjects": "true", "enablePatchForce": "true"}
    )
    assert upserting.create(QUOTA, "other", quota(namespace, pods="2")).id == made.id
    upserting.channel.close()


def test_dependents_may_be_orphaned(engine: Engine, sandbox: Sandbox, namespace: str) -> None:
    annotations = {"pulumi.com/deletionPropagationPolicy": "orphan"}
    owner = engine.create(CONFIG_MAP, "owner", {"metadata": {"namespace": namespace, "annotations": annotations}})
    reference = {key: owner.outputs["metadata"][key] for key in ("name", "uid")}
    reference |= {"apiVersion": "v1", "kind": "ConfigMap"}
    metadata = {"name": "owned", "namespace": namespace, "ownerReferences": [reference]}
    engine.create(CONFIG_MAP, "owned", {"metadata": metadata})
    engine.delete(owner)
    left = sandbox.api().get("v1", "ConfigMap", namespace, "owned")
    assert left
    assert "ownerReferences" not in left["metadata"]


def test_a_delete_that_takes_too_long_says_what_it_waits_for(engine: Engine, sandbox: Sandbox, namespace: str) -> None:
    metadata = {"name": "c", "namespace": namespace, "finalizers": ["example.org/wait"]}
    made = engine.create(CONFIG_MAP, "c", {"metadata": metadata})
    with pytest.raises(Refused) as error:
        engine.delete(made, timeout_seconds=0.3)
    assert "finalizer example.org/wait" in str(error.value)
    released = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}}
    sandbox.api().apply(released, manager=made.outputs["__fieldManager"])
    engine.delete(made)


def test_an_update_of_what_is_gone_says_so(engine: Engine, namespace: str) -> None:
    made = engine.create(CONFIG_MAP, "c", {"metadata": {"namespace": namespace}})
    engine.delete(made)
    with pytest.raises(Refused) as error:
        engine.update(made, {"metadata": {"namespace": namespace, "labels": {"a": "1"}}})
    assert "is gone from the cluster" in str(error.value)


def test_many_tenants_come_and_go_together(engine: Engine) -> None:
    def tenant(number: int) -> Any:
        return engine.create(NAMESPACE, f"tenant-{number}", {"metadata": {"name": f"tenant-{number}"}})

    began = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        made = list(pool.map(tenant, range(30)))
        list(pool.map(engine.delete, made))
    # The namespace controller itself waits five seconds before it empties a namespace; they must not add up.
    assert time.monotonic() - began < 30
