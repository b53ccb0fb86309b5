"""Editing a state so that it agrees with what exists, after an engine was killed between making and recording.

Pure functions on the engine's export format: nothing here reads or writes anything.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# Marks of the engine's own serialisation (pulumi/runtime/rpc.py).
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  (a public constant of the format that marks secrets, not one)

_TEMPLATE = ("custom", "type", "parent", "provider", "dependencies", "propertyDependencies", "additionalSecretOutputs")


@dataclass(frozen=True)
class Made:
    """A resource that exists in a cloud, with the URN it was made for."""

    urn: str
    id: str
    package: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    parent: str = ""
    """URN, where it is known."""
    provider: str = ""
    """URN of the provider, where it is known."""


@dataclass
class Edit:
    """A state after editing, and what was done to it."""

    deployment: dict[str, Any]
    adopted: list[str] = field(default_factory=list)
    """URNs of resources that are in the state now."""
    duplicates: list[str] = field(default_factory=list)
    """URNs of resources made twice; the engine deletes the one that nothing uses in its next run."""
    dropped: list[str] = field(default_factory=list)
    """URNs of operations that had come to nothing."""

    def __bool__(self) -> bool:
        return bool(self.adopted or self.duplicates or self.dropped)


def stack_of(urn: str) -> str:
    """The stack that a URN belongs to."""
    return urn.split("::")[0].removeprefix("urn:pulumi:")


def reconcile(deployment: Mapping[str, Any], made: Iterable[Made]) -> Edit:
    """Bring in what exists and is not recorded, and end all pending operations.

    `made`: everything that exists of this stack. An operation that created nothing is dropped; so are updates and
    deletions: their resource is still recorded as it was, and the next run does them again.
    """
    edit = Edit(copy.deepcopy(dict(deployment)))
    resources: list[dict[str, Any]] = edit.deployment.setdefault("resources", [])
    pending = edit.deployment.pop("pending_operations", None) or []
    creating = {op["resource"]["urn"]: op["resource"] for op in pending if op["type"] in ("creating", "importing")}
    recorded = {(one["urn"], one.get("id")) for one in resources}
    for one in made:
        if (one.urn, one.id) in recorded:
            continue
        twin = next((entry for entry in resources if entry["urn"] == one.urn), None)
        if twin:
            resources.append(_entry(one, resources, twin) | {"delete": True})
            edit.duplicates.append(one.urn)
        else:
            resources.append(_entry(one, resources, creating.get(one.urn)))
            edit.adopted.append(one.urn)
    edit.dropped = [op["resource"]["urn"] for op in pending if op["resource"]["urn"] not in edit.adopted]
    return edit


def _entry(made: Made, resources: list[dict[str, Any]], template: Mapping[str, Any] | None) -> dict[str, Any]:
    """The state's record of a resource: after what the engine has written about it, else as well as can be told."""
    qualified = made.urn.split("::")[2]
    entry: dict[str, Any] = {"urn": made.urn, "custom": True, "type": qualified.rpartition("$")[2]}
    if template:
        entry |= {key: copy.deepcopy(template[key]) for key in _TEMPLATE if key in template}
    else:
        entry |= _surroundings(made, resources)
    written = dict((template or {}).get("inputs") or {})
    secret = {name for name, value in written.items() if _is_secret(value)} | set(
        entry.get("additionalSecretOutputs") or ()
    )
    begun = template is not None and "id" not in template
    entry["id"] = made.id
    entry["inputs"] = written if begun else _properties(made.inputs, secret)
    entry["outputs"] = _properties(made.outputs, secret)
    return entry


def _surroundings(made: Made, resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Parent, provider and dependencies of a resource about which the state holds nothing.

    A wrong parent among several of one type is harmless: it is no part of the URN, and the next run corrects it.
    """
    found: dict[str, Any] = {}
    qualified, name = made.urn.split("::", 3)[2:]
    parent_type = qualified.rpartition("$")[0] or "pulumi:pulumi:Stack"
    parents = [one["urn"] for one in resources if one["urn"].split("::")[2] == parent_type]
    parents.sort(key=lambda urn: (urn == made.parent, len(_common(urn.split("::", 3)[3], name))))
    if parents:
        found["parent"] = parents[-1]
    providers = [one for one in resources if one["type"] == f"pulumi:providers:{made.package}"]
    providers.sort(key=lambda one: one["urn"] != made.provider)
    if providers:
        found["provider"] = f"{providers[0]['urn']}::{providers[0]['id']}"
    ids = {one["id"]: one["urn"] for one in resources if one.get("custom") and one.get("id")}
    mentioned = {ids[text] for text in _strings(made.inputs) if text in ids}
    if mentioned:
        found["dependencies"] = sorted(mentioned)
    return found


def _common(one: str, other: str) -> str:
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return one[:index]
    return min(one, other, key=len)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(_SIGNATURE) == _SECRET


def _hidden(value: Any) -> dict[str, Any]:
    """A secret as an import takes it; the engine encrypts it before it writes the state."""
    return {_SIGNATURE: _SECRET, "plaintext": json.dumps(value)}


def _properties(values: Mapping[str, Any], secret: set[str]) -> dict[str, Any]:
    """Properties as the state has them, those called `secret` encrypted even where the cloud keeps them plain."""
    return {
        name: _hidden(value) if name in secret and not _is_secret(value) else _state(value)
        for name, value in values.items()
    }


def _state(value: Any) -> Any:
    """A value as the state has it: secrets travel to providers in another form."""
    if _is_secret(value):
        return _hidden(value["value"]) if "value" in value else dict(value)
    if isinstance(value, Mapping):
        return {name: _state(item) for name, item in value.items()}
    return [_state(item) for item in value] if isinstance(value, list) else value
