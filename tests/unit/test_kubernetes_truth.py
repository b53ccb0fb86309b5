"""A refresh shows drift and nothing but drift; an import shows what was applied."""

from __future__ import annotations

import base64
from typing import Any

from sandbox.kubernetes.truth import imported, refreshed

INPUTS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "quota", "namespace": "n", "labels": {"a": "1"}},
    "spec": {"hard": {"cpu": "1000m"}, "scopes": ["A", "B"], "empty": {}},
}
# As an API server returns it: normalised, defaulted, with its own metadata; the empty map is gone.
APPLIED: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "quota", "namespace": "n", "labels": {"a": "1"}, "uid": "u", "resourceVersion": "1"},
    "spec": {"hard": {"cpu": "1"}, "scopes": ["A", "B"], "defaulted": True},
}


def live(**spec: Any) -> dict[str, Any]:
    return {**APPLIED, "metadata": {**APPLIED["metadata"], "resourceVersion": "2"}, "spec": {**APPLIED["spec"], **spec}}


def test_nothing_has_drifted_on_an_object_just_applied() -> None:
    assert refreshed(INPUTS, APPLIED, APPLIED) == INPUTS
    assert refreshed(INPUTS, APPLIED, {**live(), "status": {"used": {"cpu": "0"}}}) == INPUTS


def test_a_changed_value_is_shown_as_it_is_now() -> None:
    assert refreshed(INPUTS, APPLIED, live(hard={"cpu": "2"}))["spec"]["hard"] == {"cpu": "2"}


def test_a_removed_value_is_gone() -> None:
    assert "cpu" not in refreshed(INPUTS, APPLIED, live(hard={}))["spec"]["hard"]


def test_lists_are_compared_item_by_item() -> None:
    assert refreshed(INPUTS, APPLIED, live(scopes=["A"]))["spec"]["scopes"] == ["A"]
    assert refreshed(INPUTS, APPLIED, live(scopes=["A", "C", "D"]))["spec"]["scopes"] == ["A", "C", "D"]


def test_what_the_program_never_set_is_not_drift() -> None:
    assert refreshed(INPUTS, APPLIED, live(defaulted=False, other=1)) == INPUTS


def test_string_data_of_a_secret_is_compared_with_its_data() -> None:
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "x", "b": "y"}}

    def stored(**data: str) -> dict[str, Any]:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": encoded}

    before = stored(a="x", b="y")
    assert refreshed(inputs, before, before) == inputs
    assert refreshed(inputs, before, stored(a="x", b="z"))["stringData"] == {"a": "x", "b": "z"}
    assert refreshed(inputs, before, stored(a="x"))["stringData"] == {"a": "x"}


def test_an_import_takes_what_was_applied_server_side() -> None:
    found = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "s", "namespace": "n", "uid": "u", "creationTimestamp": "t",
            "labels": {"mine": "1", "theirs": "2"},
            "managedFields": [
                {
                    "manager": "p", "operation": "Apply",
                    "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:mine": {}}, "f:finalizers": {'v:"mine"': {}}},
                        "f:spec": {"f:ports": {'k:{"port":80}': {".": {}, "f:name": {}}}},
                    },
                },
                {"manager": "c", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {"f:theirs": {}}}}},
                {"manager": "d", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
            ],
            "finalizers": ["theirs", "mine"],
        },
        "spec": {"ports": [{"port": 443}, {"port": 80, "name": "http", "protocol": "TCP"}], "type": "ClusterIP"},
        "status": {"x": 1},
    }  # fmt: skip
    assert imported(found) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": "n", "labels": {"mine": "1"}, "finalizers": ["mine"]},
        "spec": {"ports": [{"port": 80, "name": "http"}]},
    }


def test_an_import_takes_what_kubectl_recorded() -> None:
    note = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"name":"c"},"data":{"a":"1"}}'
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": note}
    metadata = {"name": "c", "namespace": "n", "annotations": annotations}
    assert imported({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1", "b": "2"}}) == {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "data": {"a": "1"},
    }  # fmt: skip


def test_else_an_import_takes_all_but_what_the_server_writes() -> None:
    metadata = {"name": "c", "uid": "u", "resourceVersion": "1", "labels": {"a": "1"}}
    found = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"x": 1}, "status": {}}
    assert imported(found) == {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "c", "labels": {"a": "1"}}, "spec": {"x": 1},
    }  # fmt: skip
