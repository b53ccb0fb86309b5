"""Adds what ARM's types say of an azure-native resource: enumerations, lengths, patterns, ranges, constants.

The SDK flattens ARM's `properties` into the level above and respells some names, so levels are matched by spelling
regardless of case, looking through `properties` where the SDK has no such property.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.facts.model import Resource, Shape, Shapes, Types


class ArmFacts:
    """The schema folder's ARM part."""

    def __init__(self, folder: Path) -> None:
        self.resources: dict[str, Any] = {}
        for file in sorted((folder / "azure").glob("*.json")):
            self.resources.update(json.loads(file.read_text()))

    def apply(self, resource: Resource, types: Types, name_property: str | None) -> None:
        """Merge into `resource` (`name_property` is the argument that becomes ARM's `name`) and its nested types."""
        known = self.resources.get(resource.token)
        if known is None:
            resource.notes.append("ARM's types were not at hand: enumerations, lengths and patterns are not judged")
            return
        resource.source += f", {known['resource']}@{known['apiVersion']} in azure/*.json"
        body = dict(known["body"]["p"])
        name = body.pop("name", None)
        if name and name_property in resource.properties:
            _constrain(resource.properties[name_property], name[1])
        _merge(resource.properties, body, types, set())


def _merge(shapes: Shapes, body: Mapping[str, Any], types: Types, path: set[str]) -> None:
    known = dict(_level(body, {name.lower() for name in shapes}))
    for wire, shape in shapes.items():
        said = known.get(wire.lower())
        if said is None or "output" in shape.flags:
            continue
        flags, schema = said
        if "c" in flags:
            shape.flags.add("new")
        _constrain(shape, schema)
        key = shape.nested
        if key is None or key in path:
            continue
        inner = schema
        while inner.get("t") == "array":
            inner = inner["i"]
        if inner.get("t") == "object":
            _merge(types[key], inner.get("p", {}), types, path | {key})


def _level(body: Mapping[str, Any], wanted: set[str]) -> Iterator[tuple[str, Any]]:
    """ARM's properties at this level by lower-case name, with `properties` flattened where the SDK flattens it."""
    for name, (flags, schema) in body.items():
        if name == "properties" and "properties" not in wanted and schema.get("t") == "object":
            yield from _level(schema.get("p", {}), wanted)
        else:
            yield name.lower(), (flags, schema)


def _constrain(shape: Shape, schema: Mapping[str, Any]) -> None:
    """Copy the constraints of a scalar or of a list's items. Enumerations that allow other values are not judged."""
    if schema.get("t") == "array":
        schema = schema["i"]
    match schema.get("t"):
        case "enum" if not schema.get("open"):
            shape.constraints["enum"] = sorted(schema["v"])
        case "string":
            for ours, theirs in (("minLength", "min"), ("maxLength", "max"), ("pattern", "re")):
                if theirs in schema:
                    shape.constraints[ours] = schema[theirs]
        case "int":
            for ours, theirs in (("minimum", "min"), ("maximum", "max")):
                if theirs in schema:
                    shape.constraints[ours] = schema[theirs]
