"""What a change of arguments means: nothing, an update, or a replacement, property by property.

Bridged providers plan against the state and let a change inside a block replace the resource; azure-native compares
arguments with arguments and looks at two levels only (pulumi-azure-native pkg/provider/diff.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.clouds import paths
from sandbox.clouds.behaviour import Behaviour
from sandbox.clouds.paths import MISSING
from sandbox.clouds.schema import PackageFacts, Properties, Property
from sandbox.wire import has_unknown, is_unknown

ADD, DELETE, UPDATE = pb.PropertyDiff.ADD, pb.PropertyDiff.DELETE, pb.PropertyDiff.UPDATE
_REPLACES = {
    ADD: pb.PropertyDiff.ADD_REPLACE,
    DELETE: pb.PropertyDiff.DELETE_REPLACE,
    UPDATE: pb.PropertyDiff.UPDATE_REPLACE,
}
_ANY = Property(kind="any")
_Change = tuple[str, "pb.PropertyDiff.Kind.ValueType", bool]
"""Path, kind of change, and whether it replaces the resource."""


@dataclass
class Changes:
    """Property path -> kind of change."""

    kinds: dict[str, pb.PropertyDiff.Kind.ValueType] = field(default_factory=dict)

    @property
    def roots(self) -> list[str]:
        """Names of the top-level properties that change."""
        return sorted({_root(path) for path in self.kinds})

    @property
    def replaces(self) -> list[str]:
        """Names of the top-level properties whose change replaces the resource."""
        forced = set(_REPLACES.values())
        return sorted({_root(path) for path, kind in self.kinds.items() if kind in forced})


def _root(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]


@dataclass(frozen=True, kw_only=True)
class Comparer:
    """Compares the arguments of one resource type."""

    facts: PackageFacts
    behaviour: Behaviour
    bridged: bool

    def compare(
        self,
        properties: Properties | None,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        state: Mapping[str, Any],
        ignored: Sequence[str] = (),
    ) -> Changes:
        """Changes from old to new (plain) arguments, given the state that the engine has."""
        changes = Changes()
        for path, kind, forced in self._objects(properties, olds, news, state, "", False):
            if not any(path == p or path.startswith((f"{p}.", f"{p}[")) for p in ignored):
                changes.kinds[path] = _REPLACES[kind] if forced else kind
        return changes

    def _objects(
        self,
        properties: Properties | None,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        state: Any,
        path: str,
        forced: bool,
    ) -> Iterator[_Change]:
        for name in sorted({*old, *new}):
            if not path and name.startswith("__"):
                continue
            prop = (properties or {}).get(name, _ANY)
            here = f"{path}.{name}" if path else name
            yield from self._value(
                prop, old.get(name, MISSING), new.get(name, MISSING), paths.get(state, name), here, forced
            )

    def _value(self, prop: Property, old: Any, new: Any, state: Any, path: str, forced: bool) -> Iterator[_Change]:
        old, new = (MISSING if v is None else v for v in (old, new))
        if self._same(prop, old, new, path):
            return
        forced = self._forces(prop, path, forced)
        if old is MISSING:
            if self.bridged and state is not MISSING and self._same(prop, state, new, path):
                return  # the cloud's own choice is now asked for: a plan against the state sees no change
            yield path, ADD, forced or self._holds_forced(prop, new, path)
        elif new is MISSING:
            if self.bridged and prop.computed:
                return  # the provider keeps what it had computed
            yield path, DELETE, forced or self._holds_forced(prop, old, path)
        elif isinstance(old, dict) and isinstance(new, dict):
            inside = (
                {key: prop.item for key in {*old, *new} if prop.item} if prop.kind == "map" else self.facts.inside(prop)
            )
            yield from self._objects(inside, old, new, state, path, forced)
        elif isinstance(old, list) and isinstance(new, list):
            yield from self._lists(prop, old, new, path, forced)
        else:
            yield path, UPDATE, forced

    def _lists(self, prop: Property, old: list[Any], new: list[Any], path: str, forced: bool) -> Iterator[_Change]:
        item = prop.item or _ANY
        if prop.set:
            gone = [(n, v) for n, v in enumerate(old) if not any(self._same(item, v, w, path) for w in new)]
            come = [(n, v) for n, v in enumerate(new) if not any(self._same(item, v, w, path) for w in old)]
            for number, value in gone:
                yield f"{path}[{number}]", DELETE, forced or self._holds_forced(item, value, f"{path}[]")
            for number, value in come:
                yield f"{path}[{number}]", ADD, forced or self._holds_forced(item, value, f"{path}[]")
            if not gone and not come:  # the same members in other numbers
                yield path, UPDATE, forced
            return
        for number in range(max(len(old), len(new))):
            before = old[number] if number < len(old) else MISSING
            after = new[number] if number < len(new) else MISSING
            yield from self._value(item, before, after, MISSING, f"{path}[{number}]", forced)

    def _forces(self, prop: Property, path: str, inherited: bool) -> bool:
        said = self.behaviour.replace.get(paths.generic(path))
        if said is not None:
            return said
        if not self.bridged and path.count(".") > 1:
            return inherited
        return inherited or prop.new

    def _holds_forced(self, prop: Property, value: Any, path: str) -> bool:
        """Whether adding or removing this whole value changes something in it that replaces (bridged providers)."""
        if not self.bridged:
            return False
        if isinstance(value, list):
            return any(self._holds_forced(prop.item or _ANY, item, f"{path}[]") for item in value)
        inside = self.facts.inside(prop) if prop.kind == "type" else None
        if inside is None or not isinstance(value, dict):
            return False
        return any(
            name in inside
            and item not in (None, "", False, [], {})
            and (
                self._forces(inside[name], f"{path}.{name}", False)
                or self._holds_forced(inside[name], item, f"{path}.{name}")
            )
            for name, item in value.items()
        )

    def _same(self, prop: Property, old: Any, new: Any, path: str) -> bool:
        if old is MISSING or new is MISSING:
            return old is new
        if has_unknown(new) or has_unknown(old):
            return False if is_unknown(new) or is_unknown(old) else old == new
        how = self.behaviour.compare.get(paths.generic(path), "set" if prop.set else "")
        return (
            old == new or _EQUAL.get(how, _plainly)(old, new) or (self.bridged and _converted(old) == _converted(new))
        )


def _plainly(old: Any, new: Any) -> bool:
    return old == new


def _as_json(old: Any, new: Any) -> bool:
    """Equal as documents: layout, the order of statements' strings and one-element lists do not matter."""
    try:
        return _document(old) == _document(new)
    except ValueError:
        return False


def _document(value: Any) -> Any:
    parsed = json.loads(value) if isinstance(value, str) else value
    return _normal(parsed)


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_normal(item) for item in value]
        if len(items) == 1:
            return items[0]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return value


def _as_set(old: Any, new: Any) -> bool:
    def members(values: Any) -> list[str]:
        return sorted(json.dumps(_converted(v), sort_keys=True) for v in values)

    return isinstance(old, list) and isinstance(new, list) and members(old) == members(new)


def _as_location(old: Any, new: Any) -> bool:
    return str(old).lower().replace(" ", "") == str(new).lower().replace(" ", "")


def _as_case(old: Any, new: Any) -> bool:
    return str(old).lower() == str(new).lower()


_EQUAL = {"json": _as_json, "set": _as_set, "location": _as_location, "case": _as_case}


def _converted(value: Any) -> Any:
    """Scalars as text, as a bridged provider takes true for "true" and 5 for "5"; without nulls and reserved names."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, dict):
        return {k: _converted(v) for k, v in value.items() if v is not None and not k.startswith("__")}
    if isinstance(value, list):
        return [_converted(item) for item in value]
    return value
