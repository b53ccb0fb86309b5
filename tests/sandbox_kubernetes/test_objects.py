"""The stand-in provider against a real API server: objects come, change, drift and go as they would for real."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox import wire
from sandbox.wire import UNKNOWN, is_secret, plain, secret
from tests.sandbox_kubernetes.conftest import Sandbox
from tests.sandbox_kubernetes.engine import Engine, Refused

NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
QUOTA = "kubernetes:core/v1:ResourceQuota"
SECRET = "kubernetes:core/v1:Secret"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"


def quota(namespace: str, **hard: str) -> dict[str, Any]:
    return {"metadata": {"name": "quota", "namespace": namespace}, "spec": {"hard": hard}}


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


def test_a_refresh_shows_no_drift_on_what_was_just_applied(engine: Engine, namespace: str) -> None:
    for made in (
        engine.create(QUOTA, "quota", quota(namespace, cpu="0.5", **{"requests.memory": "1024Mi"})),
        engine.create(
            POLICY, "deny", {"metadata": {"namespace": namespace}, "spec": {"podSelector": {}, "ingress": []}}
        ),
        engine.create(SECRET, "s", {"metadata": {"namespace": namespace}, "stringData": {"a": "x"}}),
        engine.create("kubernetes:core/v1:Service", "w", _service(namespace)),
        engine.create("kubernetes:apps/v1:Deployment", "w", _deployment(namespace)),
    ):
        now = engine.refresh(made)
        assert now
        assert now.inputs == made.inputs
        assert engine.diff(now, made.inputs).changes == provider_pb2.DiffResponse.DIFF_NONE


def _service(namespace: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace}, "spec": {"selector": {"a": "1"}, "ports": [{"port": 80}]}}


def _deployment(namespace: str) -> dict[str, Any]:
    labels = {"a": "1"}
    limits = {"cpu": "0.5", "memory": "1024Ki"}
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "resources": {"limits": limits}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "metadata": {"namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "replicas": 2, "template": template},
    }


def test_a_refresh_shows_what_somebody_changed(engine: Engine, sandbox: Sandbox, namespace: str) -> None:
    made = engine.create(QUOTA, "quota", quota(namespace, pods="10", services="5"))
    changed = {"apiVersion": "v1", "kind": "ResourceQuota", **quota(namespace, pods="99")}
    sandbox.api().apply(changed, manager="somebody", force=True)
    now = engine.refresh(made)
    assert now
    assert now.inputs["spec"]["hard"] == {"pods": "99", "services": "5"}
    found = engine.diff(now, made.inputs)
    assert dict(found.detailedDiff).keys() == {"spec.hard.pods"}
    # The field is somebody else's now: taking it back silently is not what a real cluster does.
    with pytest.raises(Refused) as error:
        engine.update(now, made.inputs)
    assert "somebody" in str(error.value)
    assert "pulumi.com/patchForce" in str(error.value)
    forced = {**made.inputs, "metadata": {**made.inputs["metadata"], "annotations": {"pulumi.com/patchForce": "true"}}}
    assert engine.update(now, forced).outputs["spec"]["hard"] == {"pods": "10", "services": "5"}


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


def test_an_import_finds_what_was_applied(engine: Engine, namespace: str) -> None:
    made = engine.create(QUOTA, "quota", quota(namespace, pods="10"))
    found = engine.imported(QUOTA, "quota", made.id)
    assert found
    assert found.inputs == made.inputs
    assert found.outputs["metadata"]["uid"] == made.outputs["metadata"]["uid"]
    assert engine.imported(QUOTA, "quota", f"{namespace}/nothing") is None


def test_an_imported_object_goes_on_with_its_manager(engine: Engine, namespace: str) -> None:
    made = engine.create(QUOTA, "quota", quota(namespace, pods="10"))
    found = engine.imported(QUOTA, "quota", made.id)
    assert found
    assert engine.update(found, quota(namespace, pods="20")).outputs["spec"]["hard"] == {"pods": "20"}


def test_what_kubectl_changed_is_taken_back(engine: Engine, sandbox: Sandbox, namespace: str) -> None:
    made = engine.create(QUOTA, "quota", quota(namespace, pods="10"))
    changed = {"apiVersion": "v1", "kind": "ResourceQuota", **quota(namespace, pods="99")}
    sandbox.api().apply(changed, manager="kubectl", force=True)
    now = engine.refresh(made)
    assert now
    assert engine.update(now, made.inputs).outputs["spec"]["hard"] == {"pods": "10"}


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


def test_secrets_stay_secret(engine: Engine, namespace: str) -> None:
    made = engine.create(SECRET, "s", {"metadata": {"namespace": namespace}, "stringData": {"a": "hidden"}})
    assert is_secret(made.inputs["stringData"])
    assert is_secret(made.outputs["data"])
    assert plain(made.outputs["data"]) == {"a": "aGlkZGVu"}
    now = engine.refresh(made)
    assert now
    assert is_secret(now.inputs["stringData"])
    found = engine.imported(SECRET, "s", made.id)
    assert found
    assert is_secret(found.outputs["data"])
    quiet = engine.create(CONFIG_MAP, "c", {"metadata": {"namespace": namespace}, "data": {"a": secret("x"), "b": "y"}})
    assert is_secret(quiet.outputs["data"]["a"])
    assert quiet.outputs["data"]["b"] == "y"


def test_a_custom_kind_works_as_soon_as_its_definition_does(engine: Engine, namespace: str) -> None:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}, "any": {
            "type": "object", "x_kubernetes_preserve_unknown_fields": True}}}},
    }  # fmt: skip
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "example.org", "names": names, "scope": "Namespaced", "versions": [version]}
    widget = {"metadata": {"name": "w", "namespace": namespace}, "spec": {"size": 3, "any": {"x": 1}}}
    type_ = "kubernetes:example.org/v1:Widget"
    assert engine.preview(type_, "w", widget) == engine.check(type_, "w", widget)
    with pytest.raises(Refused) as error:
        engine.create(type_, "w", widget)
    assert "is its definition installed?" in str(error.value)

    definition = engine.create(
        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
        "widgets", {"metadata": {"name": "widgets.example.org"}, "spec": spec},
    )  # fmt: skip
    now = engine.refresh(definition)
    assert now
    assert now.inputs == definition.inputs
    made = engine.create(type_, "w", widget)
    assert made.outputs["spec"] == {"size": 3, "any": {"x": 1}}
    with pytest.raises(Refused):
        engine.update(made, {**widget, "spec": {"size": "three"}})
    assert engine.diff(made, {**widget, "spec": {"size": 4}}).replaces == []
    engine.delete(definition)
    assert engine.refresh(made) is None
    engine.delete(made)


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


def test_faults_strike_before_and_after_the_work(engine: Engine, sandbox: Sandbox, namespace: str) -> None:
    sandbox.world.inject_fault("create", "::struck$", "the network is down")
    sandbox.world.inject_fault("create", "::struck$", "no answer", after=True)
    inputs = {"metadata": {"name": "struck", "namespace": namespace}}
    for message, exists in (("the network is down", False), ("no answer", True)):
        assert engine.preview(CONFIG_MAP, "struck", inputs)  # Faults of "create" mean the real thing.
        with pytest.raises(Refused) as error:
            engine.create(CONFIG_MAP, "struck", inputs)
        assert str(error.value) == message
        assert (sandbox.api().get("v1", "ConfigMap", namespace, "struck") is not None) == exists


def test_a_release_is_recorded_and_says_that_it_is_not_rendered(engine: Engine, sandbox: Sandbox) -> None:
    release = "kubernetes:helm.sh/v3:Release"
    news = {
        "chart": "cert-manager", "version": "1.21.1", "namespace": "releases", "createNamespace": True,
        "name": "cm", "values": {"a": secret("x"), "b": 1},
    }  # fmt: skip
    assert engine.preview(release, "cm", news)["status"] == UNKNOWN
    made = engine.create(release, "cm", news)
    assert made.id == "releases/cm"
    assert made.outputs["status"]["status"] == "recorded"
    assert made.outputs["status"]["revision"] == 1
    assert is_secret(made.outputs["values"]["a"])
    record = sandbox.api().get("v1", "Secret", "releases", "recorded-release.cm")
    assert record
    assert record["type"] == "meridian.dev/recorded-release"
    now = engine.refresh(made)
    assert now
    assert now.inputs == made.inputs
    assert now.outputs == made.outputs
    with pytest.raises(Refused) as error:
        engine.create(release, "cm", news)
    assert "still in use" in str(error.value)
    assert not engine.diff(made, {**news, "version": "1.22.0"}).replaces
    assert list(engine.diff(made, {**news, "name": "other"}).replaces) == ["name"]
    updated = engine.update(made, {**news, "version": "1.22.0"})
    assert (updated.outputs["status"]["version"], updated.outputs["status"]["revision"]) == ("1.22.0", 2)
    engine.delete(updated)
    assert engine.refresh(updated) is None


def test_yaml_is_decoded(engine: Engine) -> None:
    request = provider_pb2.InvokeRequest(
        tok="kubernetes:yaml:decode", args=wire.encode({"text": "a: 1\n---\nb: [2]\n---\n"})
    )
    answer = engine.ask("Invoke", request)
    assert wire.decode(getattr(answer, "return")) == {"result": [{"a": 1}, {"b": [2]}]}
    with pytest.raises(Refused) as error:
        engine.ask("Invoke", provider_pb2.InvokeRequest(tok="kubernetes:helm:template"))
    assert "has no function kubernetes:helm:template" in str(error.value)


def test_many_tenants_come_and_go_together(engine: Engine) -> None:
    def tenant(number: int) -> Any:
        return engine.create(NAMESPACE, f"tenant-{number}", {"metadata": {"name": f"tenant-{number}"}})

    began = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        made = list(pool.map(tenant, range(30)))
        list(pool.map(engine.delete, made))
    # The namespace controller itself waits five seconds before it empties a namespace; they must not add up.
    assert time.monotonic() - began < 30
