"""Loads `sandbox/data/behaviour`: what facts about arguments cannot say, written by hand with its source.

Every key is checked, so a typing error in the data is an error at start and not silence at run time.
`sandbox/data/README.md` describes the format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).resolve().parent.parent / "data"


class DataError(Exception):
    """The data files are wrong; the message names file, type and key."""


@dataclass(frozen=True, kw_only=True)
class Autoname:
    """How the provider names a resource whose program does not."""

    property: str
    style: str = "suffix"
    """suffix: <name><separator><random hex>; copy: the logical name; uuid: a random UUID."""
    separator: str = "-"
    random: int = 7
    max: int = 0
    """Longest name allowed, 0 for no limit. Longer ones are refused, as the bridge does."""
    lower: bool = False
    prefix: str = ""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A property whose value names another resource."""

    path: str
    to: tuple[str, ...]
    match: re.Pattern[str] | None = None
    """Only values that match are references; group 1, if there is one, is what refers."""
    template: str | None = None
    """Turns a bare name into what the target is known by."""
    missing: str | None = None
    in_use: str | None = None
    blocks: bool = True
    """Whether the target cannot be deleted while this resource refers to it."""
    cascade: bool = False
    """Whether this resource disappears together with the target."""
    required: bool = True
    """Whether creating fails when the target does not exist."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a value must look like, beyond its type."""

    path: str
    enum: tuple[Any, ...] = ()
    pattern: re.Pattern[str] | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    format: str | None = None
    """cidr4 | cidr6 | json | arn | aws-region | azure-region | gcp-region | gcp-location"""
    prefix: tuple[int, int] | None = None
    """Shortest and longest prefix length of a cidr4."""
    message: str | None = None


@dataclass(frozen=True, kw_only=True)
class Name:
    """Rules of the physical name, and where it must be unique."""

    property: str
    unique: str | None = None
    """Template of the space in which the name exists once; None when the id says it."""
    conflict: str | None = None


@dataclass(frozen=True, kw_only=True)
class Range:
    """An address range that must lie in its parent's and not overlap with its siblings'."""

    path: str
    parent: str
    """The reference to the parent; its siblings refer to the same parent by it."""
    inside: tuple[str, ...]
    """Where the parent's ranges are: its own outputs, or `<type token>#<output>` of what else refers to the parent."""
    outside: str
    overlap: str


@dataclass(frozen=True, kw_only=True)
class Protection:
    """An argument that makes the cloud (or the provider) refuse deletion."""

    property: str
    default: bool = False
    refuses: Any = True
    message: str = "deletion protection is enabled"


@dataclass(frozen=True, kw_only=True)
class ClusterLink:
    """A managed Kubernetes cluster: a real API server is started behind it."""

    name: str
    version: str
    location: str
    account: str = "{account}"
    tags: str = "{in.tags}"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Everything that is known of a type apart from its facts."""

    token: str
    noun: str = ""
    id: str = ""
    scope: str = ""
    """Template of where the id means something: an account, an account's region, or nothing when the id is global."""
    location: str = ""
    autoname: Autoname | None = None
    name: Name | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    inside_only: tuple[str, ...] = ()
    """Outputs that fill gaps in an argument's object but do not appear where the program gives none."""
    handles: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    rules: tuple[Rule, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    replace: Mapping[str, bool] = field(default_factory=dict)
    compare: Mapping[str, str] = field(default_factory=dict)
    """Equality of a property: set | json | case | location."""
    delete_before_replace: bool = False
    volatile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Output -> arguments whose change makes it unknown in an update's preview ("*": any change)."""
    after_delete: str = "gone"
    """gone | reserved (the name stays taken) | kept (deleting only forgets it: the cloud cannot delete it)."""
    adopts: bool = False
    """The resource exists as part of another: creating takes it over, deleting leaves it."""
    missing: str = ""
    in_use: str = ""
    range: Range | None = None
    protection: Protection | None = None
    cluster: ClusterLink | None = None
    source: str = ""

    @property
    def name_property(self) -> str | None:
        """The argument that carries the physical name."""
        if self.autoname:
            return self.autoname.property
        return self.name.property if self.name else None


@dataclass(frozen=True, kw_only=True)
class PackageBehaviour:
    """Defaults of a package and its resource types."""

    package: str
    resources: Mapping[str, Behaviour]
    common: Behaviour
    """What every type inherits; also the behaviour of types without data."""
    config_replaces: tuple[str, ...]
    """Provider arguments whose change replaces the provider, and with it all its resources."""
    known_in_preview: tuple[str, ...]
    """Computed outputs that follow from arguments and configuration, so a preview knows them."""
    keeps_on_update: tuple[str, ...] | None
    """Outputs that an update's preview keeps; None: all that no `volatile` names."""
    bridged: bool
    """Whether the real provider is a bridged Terraform provider (records `__defaults`, compares with state)."""


def _pattern(text: Any) -> re.Pattern[str] | None:
    return re.compile(str(text)) if text is not None else None


def _keys(cls: type[Any], data: Mapping[str, Any], where: str, **renamed: str) -> dict[str, Any]:
    """Keyword arguments for a dataclass from YAML keys; unknown keys are refused."""
    known = {f.name for f in fields(cls)}
    out: dict[str, Any] = {}
    for key, value in data.items():
        name = renamed.get(key, key)
        if name not in known:
            raise DataError(f"{where}: unknown key {key!r}; known: {', '.join(sorted(known))}")
        out[name] = value
    return out


def _reference(path: str, data: Any, where: str) -> Reference:
    data = {"to": data} if isinstance(data, (str, list)) else dict(data)
    keys = _keys(Reference, data, where, **{"as": "template"})
    to = keys.pop("to")
    keys["match"] = _pattern(keys.get("match"))
    return Reference(path=path, to=tuple([to] if isinstance(to, str) else to), **keys)


def _rule(path: str, data: Mapping[str, Any], where: str) -> Rule:
    keys = _keys(Rule, {k: v for k, v in data.items() if k != "source"}, where)
    keys["pattern"] = _pattern(keys.get("pattern"))
    keys["enum"] = tuple(keys.get("enum", ()))
    if "prefix" in keys:
        low, high = keys["prefix"]
        keys["prefix"] = (int(low), int(high))
    return Rule(path=path, **keys)


def _without_source(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in data.items() if k != "source"}


def _behaviour(token: str, data: Mapping[str, Any], common: Mapping[str, Any], where: str) -> Behaviour:
    merged = {**common, **data}
    for key in ("outputs", "defaults", "replace", "compare", "volatile", "rules", "references"):
        merged[key] = {**common.get(key, {}), **data.get(key, {})}
    keys = _keys(Behaviour, merged, where)
    named = {**common.get("autoname", {}), **data.get("autoname", {})}
    keys["autoname"] = Autoname(**_keys(Autoname, _without_source(named), where)) if "property" in named else None
    if keys.get("name"):
        keys["name"] = Name(**_keys(Name, _without_source(keys["name"]), where))
    if keys.get("protection"):
        keys["protection"] = Protection(**_keys(Protection, _without_source(keys["protection"]), where))
    if keys.get("range"):
        ranged = _keys(Range, _without_source(keys["range"]), where)
        ranged["inside"] = tuple(ranged["inside"])
        keys["range"] = Range(**ranged)
    if keys.get("cluster"):
        keys["cluster"] = ClusterLink(**_keys(ClusterLink, keys["cluster"], where))
    references = keys["references"].items()
    keys["references"] = tuple(_reference(p, r, f"{where}.references.{p}") for p, r in references if r)
    keys["rules"] = tuple(_rule(p, r, f"{where}.rules.{p}") for p, r in keys.get("rules", {}).items())
    keys["handles"] = tuple(keys.get("handles", ()))
    keys["inside_only"] = tuple(keys.get("inside_only", ()))
    keys["exclusive"] = tuple(tuple(group) for group in keys.get("exclusive", ()))
    keys["one_of"] = tuple(tuple(group) for group in keys.get("one_of", ()))
    keys["replace"] = {p: bool(v) for p, v in keys["replace"].items() if p != "source"}
    keys["volatile"] = {o: tuple(a) for o, a in keys["volatile"].items()}
    return Behaviour(token=token, **keys)


@cache
def load_behaviour(package: str) -> PackageBehaviour:
    """The behaviour of a package, read once. Raises DataError."""
    folder = DATA / "behaviour" / package
    head = yaml.safe_load((folder / "package.yaml").read_text())
    common: dict[str, Any] = head.pop("common")
    resources: dict[str, Behaviour] = {}
    for file in sorted(folder.glob("*.yaml")):
        if file.name == "package.yaml":
            continue
        for token, data in (yaml.safe_load(file.read_text()) or {}).items():
            if token in resources:
                raise DataError(f"{file}: {token} is described twice")
            resources[token] = _behaviour(token, data or {}, common, f"{file.name}: {token}")
    return PackageBehaviour(
        package=package,
        resources=resources,
        common=_behaviour("", {}, common, f"{folder.name}/package.yaml"),
        config_replaces=tuple(head["config_replaces"]),
        known_in_preview=tuple(head["known_in_preview"]),
        keeps_on_update=tuple(head["keeps_on_update"]) if head["keeps_on_update"] is not None else None,
        bridged=bool(head["bridged"]),
    )
