"""Type tokens, names, secrets and spelling."""

from __future__ import annotations

import pytest

from sandbox.kubernetes.objects import (
    UnsupportedType,
    api_type,
    from_kubernetes,
    mark_secrets,
    new_name,
    object_id,
    split_id,
    to_kubernetes,
)
from sandbox.wire import UNKNOWN, decode, encode, has_secret, has_unknown, plain, secret


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("kubernetes:core/v1:Namespace", ("v1", "Namespace")),
        ("kubernetes:apps/v1:Deployment", ("apps/v1", "Deployment")),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", ("networking.k8s.io/v1", "NetworkPolicy")),
        ("kubernetes:cert-manager.io/v1:Certificate", ("cert-manager.io/v1", "Certificate")),
        ("kubernetes:example.org/v1:ConfigPatch", ("example.org/v1", "ConfigPatch")),
        ("kubernetes:example.org/v1:ShoppingList", ("example.org/v1", "ShoppingList")),
    ],
)  # fmt: skip
def test_tokens_name_kinds(token: str, expected: tuple[str, str]) -> None:
    assert api_type(token) == expected


@pytest.mark.parametrize(
    "token",
    ["kubernetes:core/v1:NamespacePatch", "kubernetes:core/v1:PodList", "kubernetes:helm.sh/v4:Chart", "aws:s3:Bucket"],
)
def test_what_is_not_served_is_said(token: str) -> None:
    with pytest.raises(UnsupportedType, match=token):
        api_type(token)


def test_names_depend_on_the_seed_alone() -> None:
    assert new_name("web", b"\x01\x02\x03\x04\x05") == "web-01020304"
    assert new_name("web", b"") != new_name("web", b"")


def test_ids_hold_namespace_and_name() -> None:
    assert split_id(object_id({"metadata": {"name": "a", "namespace": "n"}})) == ("n", "a")
    assert split_id(object_id({"metadata": {"name": "a"}})) == ("", "a")


def test_schema_extensions_are_respelt_both_ways() -> None:
    ours = {"spec": {"x_kubernetes_preserve_unknown_fields": True, "x_other": [{"x_kubernetes_list_type": "map"}]}}
    theirs = {"spec": {"x-kubernetes-preserve-unknown-fields": True, "x_other": [{"x-kubernetes-list-type": "map"}]}}
    assert to_kubernetes(ours) == theirs
    assert from_kubernetes(theirs) == ours


def test_secrets_stay_secret_where_they_were() -> None:
    inputs = {"spec": {"a": secret("x"), "b": "y", "c": [{"d": secret("z")}]}, "metadata": secret({"name": "n"})}
    outputs = {"spec": {"a": "x", "b": "y", "c": [{"d": "z"}], "e": 1}, "metadata": {"name": "n"}}
    assert mark_secrets(outputs, inputs) == {
        "spec": {"a": secret("x"), "b": "y", "c": secret([{"d": "z"}]), "e": 1},
        "metadata": secret({"name": "n"}),
    }


def test_the_data_of_secrets_is_always_secret() -> None:
    outputs = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "eA=="}, "type": "Opaque"}
    assert mark_secrets(outputs, {}) == {**outputs, "data": secret({"a": "eA=="})}


def test_values_travel_unchanged() -> None:
    values = {"a": 1, "b": 1.5, "c": [True, None, "x", {}], "d": {"e": []}, "f": UNKNOWN, "g": secret("s")}
    assert decode(encode(values)) == values
    assert decode(encode({"gone": None})) == {}
    assert has_unknown(values)
    assert has_secret(values)
    assert plain(values)["g"] == "s"
