"""What the world consists of: resources, what they are known by, what they refer to and what they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class WorldError(Exception):
    """The world was asked for something impossible; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """Identity of a resource: ids mean something in a scope (an account, or an account's region), or everywhere."""

    package: str
    type: str
    scope: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource that exists."""

    key: Key
    account: str
    location: str
    urn: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    created: float = 0.0
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class Link:
    """A reference from one resource to another, with the path of the property that holds it."""

    path: str
    target: Key


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong in calls of one kind."""

    number: int
    op: str
    urn_pattern: str
    message: str
    times: int
    after: bool
    hang_seconds: float
    kill: bool


@dataclass(frozen=True, kw_only=True)
class AddressRange:
    """A range of IPv4 addresses, as numbers, that a resource takes from its parent's."""

    parent: str
    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class NameClaim:
    """A name that may exist once in its space (an account, a region, everywhere)."""

    space: str
    value: str


@dataclass(kw_only=True)
class Entry:
    """What `World.save` writes: the resource, what it is known by, what it refers to, and the name it claims."""

    resource: Resource
    handles: Sequence[str] = ()
    links: Sequence[Link] = ()
    name: NameClaim | None = None
    ranges: Sequence[AddressRange] = ()
