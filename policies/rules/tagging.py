"""Everything that can bear tags says who owns it, who pays for it, and which stack it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .model import Resource, ResourceRule, Severity
from .settings import Settings
from .values import UNKNOWN, Unknown, dig, items, mapping

_NAMESPACE = "kubernetes:core/v1:Namespace"

# Types whose tags sit deeper, or are written otherwise, than as a map at the top of their properties.
_NESTED: Mapping[str, tuple[str, ...]] = {
    "gcp:sql/databaseInstance:DatabaseInstance": ("settings", "userLabels"),
    "gcp:container/nodePool:NodePool": ("nodeConfig", "resourceLabels"),
    "aws:autoscaling/group:Group": ("tags",),
    _NAMESPACE: ("metadata", "labels"),
}


@cache
def taggable() -> Mapping[str, tuple[str, ...]]:
    """Type token -> where its tags sit, for every type of the three clouds' SDKs and Kubernetes namespaces.

    The table, taggable.json, is derived from the SDKs' own sources; a test compares the two.
    """
    table = json.loads((Path(__file__).parent / "taggable.json").read_text(encoding="utf-8"))
    places = {
        f"{package}:{module}{rest}": (where,)
        for package, by_place in table.items()
        for where, by_module in by_place.items()
        for module, types in by_module.items()
        for rest in types
    }
    return {**places, **_NESTED}


def _tags(resource: Resource, where: tuple[str, ...]) -> Mapping[str, Any] | Unknown:
    found = dig(resource.props, *where)
    if found is UNKNOWN:
        return UNKNOWN
    if isinstance(found, Mapping):
        return mapping(found)
    pairs = items(found)  # a list of key and value, as auto scaling groups have it
    if isinstance(pairs, Unknown) or UNKNOWN in pairs:
        return UNKNOWN
    return {str(dig(pair, "key")): dig(pair, "value") for pair in pairs}


def _empty(value: Any) -> bool:
    return value is not UNKNOWN and not str(value if value is not None else "").strip()


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    where = taggable()[resource.type]
    tags = _tags(resource, where)
    if isinstance(tags, Unknown):
        return  # decided on `up`
    wanted = list(settings.required_labels)
    if resource.type == _NAMESPACE:
        wanted = [settings.kubernetes_key(key) for key in wanted]
    if resource.type.startswith("azure-native:"):  # names of tags differ by more than case there
        tags = {key.lower(): value for key, value in tags.items()}
        wanted = [key.lower() for key in wanted]
    place = ".".join(where)
    if missing := [key for key in wanted if key not in tags]:
        yield f"{place} lacks {', '.join(missing)}"
    if empty := [key for key in wanted if key in tags and _empty(tags[key])]:
        yield f"{place} has no value for {', '.join(empty)}"


REQUIRED_LABELS = ResourceRule(
    name="required-labels",
    why="What nobody owns is never paid for, patched or deleted, and an orphan can be found by its tags alone.",
    source="AWS Well-Architected COST02; Azure Cloud Adoption Framework, resource tagging; requirements Y01, V04",
    fix="pass the component's labels, encoded for its cloud, to this resource",
    severity=Severity.HIGH,
    applies=lambda type_, _: type_ in taggable(),
    check=_check,
)
