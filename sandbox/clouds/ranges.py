"""Address ranges: a subnet lies in its network's ranges and overlaps with no other subnet of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from typing import Any

from sandbox.clouds import paths
from sandbox.clouds.behaviour import Range
from sandbox.clouds.errors import CloudError, fill
from sandbox.wire import plain
from sandbox.world import AddressRange, Key, Link, World


def _networks(values: Mapping[str, Any], path: str) -> Iterator[IPv4Network]:
    for value in paths.every(plain(dict(values)), path):
        if isinstance(value, str):
            try:
                yield IPv4Network(value)
            except ValueError:
                continue  # judged elsewhere


def _spoken(taken: AddressRange) -> str:
    return str(next(summarize_address_range(IPv4Address(taken.low), IPv4Address(taken.high))))


def claim(world: World, rule: Range, me: Key, inputs: Mapping[str, Any], links: list[Link]) -> list[AddressRange]:
    """The ranges that a resource takes. Raises CloudError for one outside of its parent's or taken by a sibling."""
    taken = []
    for link in links:
        if link.path != rule.parent:
            continue
        room = list(_room(world, rule, link.target))
        for network in _networks(inputs, rule.path):
            if room and not any(network.subnet_of(outer) for outer in room):
                raise CloudError(fill(rule.outside, value=str(network), parent=link.target.id))
            low, high = int(network.network_address), int(network.broadcast_address)
            wanted = AddressRange(parent=link.target.id, low=low, high=high)
            if (other := world.overlapping(me, wanted)) is not None:
                raise CloudError(fill(rule.overlap, value=str(network), taken=_spoken(other[1]), by=other[0]))
            taken.append(wanted)
    return taken


def _room(world: World, rule: Range, parent: Key) -> Iterator[IPv4Network]:
    """The parent's ranges: its own, and those of resources that refer to it."""
    for place in rule.inside:
        token, _, path = place.rpartition("#")
        for holder in [key for key, _ in world.referrers(parent, token)] if token else [parent]:
            resource = world.get(holder)
            if resource is not None:
                yield from _networks(resource.outputs, path)
