"""Inputs as the cluster has them now: what a refresh or an import reports.

A refresh must show what somebody changed, and nothing else: neither what the API server filled in, nor how it
spells a value ("1000m" becomes "1"). Both are visible by comparing the live object with the outputs of the last
apply: what is still as it was then has not drifted, so the input stays as the program wrote it.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from sandbox.kubernetes.api import Object
from sandbox.kubernetes.objects import SERVER_METADATA

_MISSING = object()
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def refreshed(inputs: Object, outputs: Object, live: Object) -> Object:
    """The inputs, with every value that has changed since `outputs` as it is in `live`. All values are plain."""
    before, now = _with_string_data(outputs, inputs), _with_string_data(live, inputs)
    merged = _merge(inputs, before, now)
    # Identity cannot drift, and an object in the default namespace need not have said so.
    for key in ("apiVersion", "kind"):
        if key in inputs:
            merged[key] = inputs[key]
    return merged


def _merge(given: Any, before: Any, now: Any) -> Any:
    if _same(before, now):
        return given
    if isinstance(given, dict) and isinstance(now, dict):
        old = before if isinstance(before, dict) else {}
        merged = {key: _merge(value, old.get(key, _MISSING), now.get(key, _MISSING)) for key, value in given.items()}
        return {key: value for key, value in merged.items() if value is not _MISSING}
    if isinstance(given, list) and isinstance(now, list):
        old_items = before if isinstance(before, list) else []
        return [
            _merge(given[index], old_items[index], item) if index < len(given) and index < len(old_items) else item
            for index, item in enumerate(now)
        ]
    return now


def _same(before: Any, now: Any) -> bool:
    if before is _MISSING or now is _MISSING:
        return before is now
    return bool(before == now)


def _with_string_data(value: Object, inputs: Object) -> Object:
    """A Secret whose `data` is also shown as the `stringData` that the inputs use; the server never returns it."""
    given = inputs.get("stringData")
    if not isinstance(given, dict) or value.get("kind") != "Secret":
        return value
    data = value.get("data") or {}
    decoded = {}
    for key in given:
        try:
            decoded[key] = base64.b64decode(data[key]).decode()
        except (KeyError, TypeError, binascii.Error, UnicodeDecodeError):
            continue  # Removed or replaced by bytes: either way not what the program wrote.
    return {**value, "stringData": decoded}


def imported(live: Object) -> Object:
    """Inputs for an object that no program has described yet.

    Where somebody applied it server-side, exactly what was applied; else what kubectl recorded as last applied;
    else everything but what only the server writes.
    """
    metadata = live["metadata"]
    identity = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    annotations = metadata.get("annotations") or {}
    applied = [entry["fieldsV1"] for entry in metadata.get("managedFields") or () if _is_apply(entry)]
    if applied:
        inputs: Object = {}
        for fields in applied:
            inputs = _union(inputs, _owned(live, fields))
    elif _LAST_APPLIED in annotations:
        inputs = json.loads(annotations[_LAST_APPLIED])
    else:
        inputs = {key: value for key, value in live.items() if key != "status"}
    kept = {key: value for key, value in (inputs.get("metadata") or {}).items() if key not in SERVER_METADATA}
    for key in ("annotations", "labels"):
        kept.pop(key, None) if not kept.get(key) else None
    if isinstance(kept.get("annotations"), dict):
        kept["annotations"] = {key: text for key, text in kept["annotations"].items() if key != _LAST_APPLIED}
    return {
        **inputs,
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": {**kept, **identity},
    }


def _is_apply(entry: dict[str, Any]) -> bool:
    return entry.get("operation") == "Apply" and not entry.get("subresource") and "fieldsV1" in entry


def _owned(live: Any, fields: dict[str, Any]) -> Any:
    """The part of a live value that a managed-fields entry owns (format FieldsV1: f:name, k:{keys}, v:value)."""
    inner = {key: value for key, value in fields.items() if key != "."}
    if not inner:
        return live
    if isinstance(live, dict):
        return {
            name: _owned(live[name], deeper)
            for key, deeper in inner.items()
            if key.startswith("f:") and (name := key[2:]) in live
        }
    if isinstance(live, list):
        return [item for item in (_owned_item(item, inner) for item in live) if item is not _MISSING]
    return live


def _owned_item(item: Any, fields: dict[str, Any]) -> Any:
    for key, deeper in fields.items():
        mark, _, text = key.partition(":")
        if mark == "v" and json.loads(text) == item:
            return item
        if mark == "k" and isinstance(item, dict):
            keys = json.loads(text)
            if all(item.get(name) == value for name, value in keys.items()):
                # The keys identify the item, whoever set them first.
                return {**keys, **_owned(item, deeper)}
    return _MISSING


def _union(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        return {
            key: _union(first[key], second[key]) if key in first and key in second else first.get(key, second.get(key))
            for key in {**first, **second}
        }
    return second
