"""Regions and zones that the clouds have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

import yaml

from sandbox.clouds.behaviour import DATA


@cache
def regions(package: str) -> Mapping[str, tuple[str, ...]]:
    """Region -> letters of its zones."""
    listed = yaml.safe_load((DATA / "places.yaml").read_text())[package]
    return {name: tuple(zones or "abc") for name, zones in listed.items()}


def unknown_region(package: str, region: str) -> str | None:
    """What is wrong with a region's name, or None. Spelling like "West Europe" is right on Azure."""
    name = region.lower().replace(" ", "") if package == "azure-native" else region
    known = regions(package)
    if name in known:
        return None
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"invalid region: {region}" + (f"; did you mean {near[0]}?" if near else "")


def zones(package: str, region: str) -> list[str]:
    """Full names of a region's zones."""
    separator = "-" if package == "gcp" else ""
    return [f"{region}{separator}{letter}" for letter in regions(package).get(region, ("a", "b", "c"))]


_REGION = re.compile(r"^([a-z]{2})-(gov-)?([a-z]+)-(\d)$")
_DIRECTIONS = ("north", "south", "east", "west", "central")


def _region_code(region: str) -> str:
    """`us-west-2` -> `usw2`, as in AWS's zone ids."""
    match = _REGION.match(region)
    if match is None:
        return region
    words = re.findall("|".join(_DIRECTIONS), match[3])
    return f"{match[1]}{'g' if match[2] else ''}{''.join(word[0] for word in words)}{match[4]}"


def zone_id(zone: str) -> str:
    """`us-west-2a` -> `usw2-az1`. AWS shuffles this per account; here the letters count."""
    return f"{_region_code(zone[:-1])}-az{ord(zone[-1]) - ord('a') + 1}"


def zone_name(id_: str) -> str:
    """`usw2-az1` -> `us-west-2a`; an id that no region has stays as it is."""
    code, _, number = id_.partition("-az")
    region = next((name for name in regions("aws") if _region_code(name) == code), None)
    return f"{region}{chr(ord('a') + int(number) - 1)}" if region and number.isdigit() else id_


def service_agent(service: str) -> str:
    """Domain of the service agent of a Google API: `container.googleapis.com` -> `container-engine-robot`."""
    named = yaml.safe_load((DATA / "service_agents.yaml").read_text())
    return str(named.get(service) or f"gcp-sa-{service.split('.', 1)[0]}")
