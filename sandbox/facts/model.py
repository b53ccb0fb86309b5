"""The intermediate form that all sources of facts are merged into, and how it is written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

FLAGS = ("required", "computed", "output", "input", "new", "new?", "secret", "deprecated", "set", "keyed", "sdk")
"""Order in which flags are written. Meanings: see `sandbox.clouds.schema.Property`."""


@dataclass
class Shape:
    """A property of a resource or nested type: its type expression, flags and constraints."""

    type: str
    flags: set[str] = field(default_factory=set)
    constraints: dict[str, object] = field(default_factory=dict)

    @property
    def nested(self) -> str | None:
        """Name of the nested object type, if this holds one (alone, in a list or in a map)."""
        inner = self.type.strip("[]{}")
        return inner.removeprefix("$") if inner.startswith("$") else None

    def written(self) -> object:
        """The JSON form: a string, or an object where there are constraints."""
        text = " ".join([self.type, *(flag for flag in FLAGS if flag in self.flags)])
        return {"type": text, **self.constraints} if self.constraints else text


Shapes = dict[str, Shape]


@dataclass
class Resource:
    """One resource type as the SDK declares it, before and after other sources added what they know."""

    token: str
    source: str
    properties: Shapes
    api_version: str | None = None
    notes: list[str] = field(default_factory=list)

    def written(self) -> dict[str, object]:
        """The JSON form."""
        out: dict[str, object] = {"source": self.source}
        if self.api_version:
            out["apiVersion"] = self.api_version
        if self.notes:
            out["notes"] = sorted(self.notes)
        out["properties"] = {name: self.properties[name].written() for name in sorted(self.properties)}
        return out


Types = dict[str, Shapes]
"""Nested object types by name."""


def reachable(resources: Mapping[str, Resource], types: Types) -> Iterator[str]:
    """Names of the nested types that the resources use, directly or not."""
    seen: set[str] = set()
    todo = [shape for resource in resources.values() for shape in resource.properties.values()]
    while todo:
        name = todo.pop().nested
        if name and name not in seen:
            seen.add(name)
            todo.extend(types[name].values())
            yield name
