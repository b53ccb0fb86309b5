"""Adds what the genuine Terraform providers said of a resource: computed, sensitive, and forced replacement.

Pulumi's AWS and GCP providers run these Terraform providers' code, so their verdicts are what a real deployment meets.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.facts.model import Resource, Shape, Shapes, Types
from sandbox.facts.names import terraform_name

_FLAGS = {"s": "secret", "d": "deprecated", "n": "new", "?": "new?"}
_FILES = {"aws": ("providers/aws.json", "terraform/aws.json"), "gcp": ("providers/google.json", "terraform/gcp.json")}


class TerraformFacts:
    """The schema folder's Terraform part, for one package."""

    def __init__(self, folder: Path, package: str) -> None:
        providers, tokens = _FILES[package]
        self.schemas: dict[str, Any] = json.loads((folder / providers).read_text())
        self.types: dict[str, str] = json.loads((folder / tokens).read_text())["types"]
        self.origin = providers

    def apply(self, resource: Resource, types: Types) -> None:
        """Merge into `resource` and into the nested types that it uses."""
        name = self.types.get(resource.token)
        schema = self.schemas.get(name or "")
        if name is None or schema is None:
            resource.notes.append(
                "the genuine provider was not asked: forced replacement is unknown but for what behaviour says"
            )
            return
        resource.source += f", {name} in {self.origin}"
        _merge(resource.properties, schema, types, resource.token)


def _merge(shapes: Shapes, schema: Mapping[str, Any], types: Types, where: str) -> None:
    arguments: Mapping[str, Any] = schema.get("args", {})
    blocks: Mapping[str, Any] = schema.get("blocks", {})
    for wire, shape in shapes.items():
        name = terraform_name(wire, [*arguments, *blocks])
        if name is None:
            if "output" not in shape.flags:
                shape.flags.add("sdk")
        elif name in arguments:
            _argument(shape, arguments[name], types, f"{where}.{wire}")
        else:
            if blocks[name]["n"] == "set" and shape.type.startswith("["):
                shape.flags.add("set")
            _descend(shape, blocks[name], types, f"{where}.{wire}")


def _argument(shape: Shape, said: Mapping[str, Any], types: Types, where: str) -> None:
    flags: str = said["f"]
    shape.flags.update(meaning for letter, meaning in _FLAGS.items() if letter in flags)
    if "c" in flags and "output" not in shape.flags:
        # Inside blocks the SDK offers even what only the cloud can set; the provider refuses it as an argument.
        settable = "o" in flags or "r" in flags
        shape.flags.add("computed" if settable else "output")
    kind = said["t"]
    if isinstance(kind, list) and kind[0] == "set" and shape.type.startswith("["):
        shape.flags.add("set")
    while isinstance(kind, list) and kind[0] in ("set", "list", "map"):
        kind = kind[1]
    if isinstance(kind, list) and kind[0] == "object":
        arguments = {name: {"f": "o", "t": inner} for name, inner in kind[1].items()}
        _descend(shape, {"args": arguments}, types, where)


def _descend(shape: Shape, schema: Mapping[str, Any], types: Types, where: str) -> None:
    """Merge into the nested type; where two places share one type but not the verdict, the second gets its own."""
    key = shape.nested
    if key is None:
        return
    merged = copy.deepcopy(types[key])
    _merge(merged, schema, types, where)
    marker = f"{key}#merged"
    if marker not in types:
        types[marker] = merged
        types[key] = merged
    elif types[marker] != merged:
        own = f"{key}@{where.rsplit(':', 1)[-1]}"
        types[own] = merged
        shape.type = shape.type.replace(f"${key}", f"${own}")
