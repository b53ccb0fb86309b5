"""Derives policies/rules/taggable.json from the SDKs' sources. `python -m tests.policy.sdk_tags` writes it anew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

TABLE = Path(__file__).parents[2] / "policies" / "rules" / "taggable.json"

_PACKAGES = {"aws": "pulumi_aws", "azure-native": "pulumi_azure_native", "gcp": "pulumi_gcp"}
_TOKEN = re.compile(r"super\(\w+, __self__\)\.__init__\(\s*'([^']+)'")
_ARGUMENT = re.compile(r"^\s+(\w+): pulumi\.Input\[(?:Optional\[)?Mapping\[str, pulumi\.Input\[_builtins\.str", re.M)


def _sources(package: str) -> Iterator[str]:
    spec = find_spec(_PACKAGES[package])
    assert spec is not None
    assert spec.origin is not None
    for path in sorted(Path(spec.origin).parent.rglob("*.py")):
        if not path.name.startswith(("_", "get_")) and path.name != "outputs.py":
            yield path.read_text(encoding="utf-8")


def _place(package: str, source: str) -> str | None:
    start = source.find("def _internal_init")
    arguments = set(_ARGUMENT.findall(source[start : source.find("__props__=None):", start)]))
    if package != "gcp":
        return "tags" if "tags" in arguments else None
    if "user_labels" in arguments:  # its `labels`, where it has any, configure the thing itself
        return "userLabels"
    if "effective_labels" not in source:  # labels that the provider does not know as such mean something else
        return None
    return "resourceLabels" if "resource_labels" in arguments else "labels" if "labels" in arguments else None


def derive() -> dict[str, dict[str, dict[str, list[str]]]]:
    """Package -> where the tags sit -> module -> the rest of each type token."""
    table: dict[str, dict[str, dict[str, list[str]]]] = {}
    for package in _PACKAGES:
        for source in _sources(package):
            token = _TOKEN.search(source)
            if token and (place := _place(package, source)):
                module, separator, rest = re.split(r"([/:])", token[1].removeprefix(f"{package}:"), maxsplit=1)
                types = table.setdefault(package, {}).setdefault(place, {}).setdefault(module, [])
                types.append(separator + rest)
    return table


def written(table: dict[str, dict[str, dict[str, list[str]]]]) -> str:
    """JSON with one line for each module, so that a change of an SDK is a readable difference."""
    packages = []
    for package, places in sorted(table.items()):
        inner = []
        for place, modules in sorted(places.items()):
            lines = [
                f"   {json.dumps(module)}: {json.dumps(sorted(types))}" for module, types in sorted(modules.items())
            ]
            inner.append(f"  {json.dumps(place)}: {{\n" + ",\n".join(lines) + "\n  }")
        packages.append(f" {json.dumps(package)}: {{\n" + ",\n".join(inner) + "\n }")
    return "{\n" + ",\n".join(packages) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(written(derive()), encoding="utf-8")
