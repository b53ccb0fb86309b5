"""What the stand-in provider tells of a real API server: drift, imports, secrets; custom kinds and releases."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox import wire
from sandbox.wire import UNKNOWN, is_secret, plain, secret
from tests.sandbox_kubernetes.conftest import Sandbox
from tests.sandbox_kubernetes.engine import (
    CONFIG_MAP,
    POLICY,
    QUOTA,
    SECRET,
    Engine,
    Refused,
    quota,
)


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
