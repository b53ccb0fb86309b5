"""Facts about the clouds that change without any code changing: regions, machine sizes, Kubernetes versions.

The YAML files beside this module are the data, with their sources; here they get types and become questions.
Everything is checked when it is read, so a slip in the data is an error that names the file and the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter

from components.spec import Cloud, KubernetesMinor, Model, Name

_FOLDER = Path(__file__).parent


class Unknown(LookupError):
    """Something that the catalogue does not hold: says what it was, what there is, and what was probably meant."""

    def __init__(self, kind: str, value: str, *, accepted: tuple[str, ...], near: str | None, why: str | None = None):
        self.kind, self.value, self.accepted, self.near, self.why = kind, value, accepted, near, why
        hint = f"; {why}" if why else f"; did you mean {near}?" if near else ""
        super().__init__(f"unknown {kind} {value!r}{hint}; accepted: {', '.join(accepted)}")


class Region(Model):
    """A region of one cloud."""

    city: str
    geography: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    """Where data lies: a country code of ISO 3166, uk, or eu."""
    zones: tuple[str, str, str]
    """Zones that subnets and nodes are spread over, as the cloud's API wants them (AWS: zone ids)."""
    latency: str
    """The AWS region that stands for it in latency-based DNS."""
    mistaken: tuple[str, ...] = ()
    """What people write when they mean this region, most often another cloud's code."""


class Size(Model):
    """A neutral machine size."""

    vcpu: Annotated[int, Field(ge=1)]
    memory: Annotated[int, Field(ge=1)]
    """GiB."""
    machines: Mapping[Cloud, str]
    """The cloud's own name of the machine type."""


def read(name: str) -> object:
    """The parsed YAML of a file of the catalogue."""
    return yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))


@cache
def regions(cloud: Cloud) -> Mapping[str, Region]:
    """All regions of a cloud by code."""
    return TypeAdapter(dict[Cloud, dict[str, Region]]).validate_python(read("regions.yaml"))[cloud]


@cache
def sizes() -> Mapping[str, Size]:
    """All machine sizes by name; every one exists on every cloud."""
    found = TypeAdapter(dict[Name, Size]).validate_python(read("sizes.yaml"))
    for name, size in found.items():
        if missing := set(Cloud) - set(size.machines):
            raise ValueError(f"sizes.yaml: {name} has no machine type on {', '.join(sorted(missing))}")
    return found


@cache
def versions() -> Mapping[str, Mapping[Cloud, date]]:
    """Kubernetes minor -> cloud -> last day of standard support."""
    return TypeAdapter(dict[KubernetesMinor, dict[Cloud, date]]).validate_python(read("versions.yaml"))


def region(cloud: Cloud, location: str) -> Region:
    """The region with this code; `Unknown` explains a code of another cloud or a slip of the keyboard."""
    known = regions(cloud)
    if location in known:
        return known[location]
    meant = [code for code, one in known.items() if location.lower() in one.mistaken]
    if meant:
        raise Unknown(
            f"{cloud} region",
            location,
            accepted=tuple(known),
            near=meant[0],
            why=f"on {cloud} the region in {known[meant[0]].city} is called {meant[0]}",
        )
    raise Unknown(f"{cloud} region", location, accepted=tuple(known), near=_near(location, known))


def size(name: str) -> Size:
    """The machine size of this name."""
    if name not in sizes():
        raise Unknown("machine size", name, accepted=tuple(sizes()), near=_near(name, sizes()))
    return sizes()[name]


def machine(name: str, cloud: Cloud) -> str:
    """What a cloud calls the machine of a neutral size."""
    return size(name).machines[cloud]


def supported(cloud: Cloud, on: date) -> tuple[str, ...]:
    """Kubernetes minors that are in a cloud's standard support on a day, oldest first."""
    return tuple(minor for minor, until in versions().items() if cloud in until and on <= until[cloud])


def _near(value: str, known: Mapping[str, object]) -> str | None:
    return next(iter(get_close_matches(value.lower(), known, n=1)), None)
