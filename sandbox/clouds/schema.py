"""The facts about arguments, as `sandbox.facts` wrote them: types, flags and constraints of every property."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.clouds.behaviour import DATA, DataError

SCALARS = frozenset({"string", "integer", "number", "boolean"})


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource or nested type.

    `kind` is a scalar, "any", "object" (shape unknown), "list", "map" or "type" (an object of the type named `nested`);
    `item` is what a list or map holds.
    """

    kind: str
    nested: str | None = None
    item: Property | None = None
    required: bool = False
    computed: bool = False
    """The cloud fills it in when the program does not."""
    output: bool = False
    """Never an argument."""
    input: bool = False
    """An argument that is not among the outputs."""
    new: bool = False
    """A change replaces the resource."""
    undecided: bool = False
    """The genuine provider could not be made to say whether a change replaces; taken as an update."""
    secret: bool = False
    set: bool = False
    """A list whose order means nothing."""
    keyed: bool = False
    """A list of ids as an argument, an object by id as an output."""
    sdk: bool = False
    """Only the SDK knows this argument: it is newer than the facts, or exists in the provider's beta only."""
    enum: tuple[Any, ...] = ()
    pattern: re.Pattern[str] | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None


Properties = Mapping[str, Property]


@dataclass(frozen=True, kw_only=True)
class TypeFacts:
    """A resource type's facts."""

    token: str
    source: str
    api_version: str | None
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class PackageFacts:
    """All facts of a package."""

    resources: Mapping[str, TypeFacts]
    types: Mapping[str, Properties]

    def inside(self, prop: Property) -> Properties | None:
        """Properties of the object that this property is or holds; None where its shape is not known."""
        return self.types.get(prop.nested or "")


def _compile(pattern: str | None) -> re.Pattern[str] | None:
    """ARM's patterns are ECMA 262; the few that Python cannot read are not judged."""
    if pattern is None:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _property(written: str | Mapping[str, Any]) -> Property:
    text, limits = (written, {}) if isinstance(written, str) else (str(written["type"]), written)
    kind, *flags = text.split()
    unknown = set(flags) - {
        "required",
        "computed",
        "output",
        "input",
        "new",
        "new?",
        "secret",
        "deprecated",
        "set",
        "keyed",
        "sdk",
    }
    if unknown:
        raise DataError(f"unknown flags {sorted(unknown)} in {text!r}")
    constraints = {
        "enum": tuple(limits.get("enum", ())),
        "pattern": _compile(limits.get("pattern")),
        "min_length": limits.get("minLength"),
        "max_length": limits.get("maxLength"),
        "minimum": limits.get("minimum"),
        "maximum": limits.get("maximum"),
    }
    base: dict[str, Any] = {
        "required": "required" in flags,
        "computed": "computed" in flags,
        "output": "output" in flags,
        "input": "input" in flags,
        "new": "new" in flags,
        "undecided": "new?" in flags,
        "secret": "secret" in flags,
        "set": "set" in flags,
        "keyed": "keyed" in flags,
        "sdk": "sdk" in flags,
    }
    return _typed(kind, base, constraints)


def _typed(kind: str, base: Mapping[str, Any], constraints: Mapping[str, Any]) -> Property:
    if kind[0] in "[{":
        item = _typed(kind[1:-1], {}, constraints)
        return Property(kind="list" if kind[0] == "[" else "map", item=item, nested=item.nested, **base)
    if kind[0] == "$":
        return Property(kind="type", nested=kind[1:], **base)
    return Property(kind=kind, **base, **constraints)


@cache
def load_facts(package: str) -> PackageFacts:
    """The facts of a package, read once. Raises DataError."""
    document = json.loads((DATA / "facts" / f"{package}.json").read_text())
    types = {
        name: {prop: _property(written) for prop, written in properties.items()}
        for name, properties in document["types"].items()
    }
    resources = {
        token: TypeFacts(
            token=token,
            source=data["source"],
            api_version=data.get("apiVersion"),
            properties={prop: _property(written) for prop, written in data["properties"].items()},
        )
        for token, data in document["resources"].items()
    }
    return PackageFacts(resources=resources, types=types)
