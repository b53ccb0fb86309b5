"""The world: what is written stays, whoever opens the file."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.world import AddressRange, Entry, Key, Link, NameClaim, Resource, World, WorldError


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "deep" / "world.sqlite")
    yield world
    world.close()


def key(id_: str, type_: str = "aws:x:Y", scope: str = "1") -> Key:
    return Key(package="aws", type=type_, scope=scope, id=id_)


def entry(id_: str, **more: object) -> Entry:
    made = Resource(key=key(id_), account="1", location="here", urn=f"urn::{id_}", inputs={"a": 1}, outputs={"b": [2]})
    return Entry(resource=made, **more)  # ty: ignore[invalid-argument-type]


def test_survives_being_closed(world: World) -> None:
    world.save(entry("one", handles=["arn:one"]), new=True)
    world.inject_fault("create", "x", "no")
    world.note_generic("aws", "aws:new:Thing")
    revision = world.revision()
    world.close()
    again = World(world.path)
    found = again.get(key("one"))
    assert found is not None
    assert (found.inputs, found.outputs, found.location) == ({"a": 1}, {"b": [2]}, "here")
    assert again.find("aws", "arn:one", ["aws:x:Y"]) == [key("one")]
    assert [fault.message for fault in again.faults()] == ["no"]
    assert again.generic_types() == ["aws:new:Thing"]
    assert again.revision() == revision
    again.close()


def test_only_its_owner_can_read_it(world: World) -> None:
    assert stat.S_IMODE(world.path.stat().st_mode) == 0o600


def test_two_openers_see_each_others_changes(world: World) -> None:
    other = World(world.path)
    world.save(entry("one"), new=True)
    assert other.get(key("one")) is not None
    other.remove(key("one"))
    assert world.get(key("one")) is None
    other.close()


def test_the_revision_grows_with_every_change(world: World) -> None:
    seen = [world.revision()]
    world.save(entry("one"), new=True)
    seen.append(world.revision())
    world.drift("aws", "aws:x:Y", "one", {"a": 2})
    seen.append(world.revision())
    world.remove(key("one"))
    seen.append(world.revision())
    assert seen == sorted(set(seen))


def test_an_id_exists_once_in_its_scope(world: World) -> None:
    world.save(entry("one"), new=True)
    with pytest.raises(WorldError, match="one already exists"):
        world.save(entry("one"), new=True)
    world.save(entry("one"), new=False)


def test_a_failed_save_leaves_nothing(world: World) -> None:
    claim = NameClaim(space="global", value="name")
    world.save(entry("one", name=claim), new=True)
    with pytest.raises(WorldError, match="name name is taken"):
        world.save(entry("two", name=claim, handles=["h"]), new=True)
    assert world.get(key("two")) is None
    assert world.find("aws", "h", ["aws:x:Y"]) == []


def test_a_name_is_free_again_after_a_change_or_a_deletion_but_not_when_reserved(world: World) -> None:
    world.save(entry("one", name=NameClaim(space="s", value="a")), new=True)
    world.save(entry("one", name=NameClaim(space="s", value="b")), new=False)
    world.save(entry("two", name=NameClaim(space="s", value="a")), new=True)
    world.remove(key("two"))
    world.save(entry("three", name=NameClaim(space="s", value="a")), new=True)
    world.remove(key("three"), keep_name=True)
    with pytest.raises(WorldError, match="taken"):
        world.save(entry("four", name=NameClaim(space="s", value="a")), new=True)


def test_referrers_are_those_of_the_last_save(world: World) -> None:
    world.save(entry("target"), new=True)
    world.save(entry("one", links=[Link(path="p", target=key("target"))]), new=True)
    assert world.referrers(key("target")) == [(key("one"), "p")]
    world.save(entry("one"), new=False)
    assert world.referrers(key("target")) == []


def test_ranges_overlap_with_others_only(world: World) -> None:
    taken = AddressRange(parent="vpc", low=10, high=20)
    world.save(entry("one", ranges=[taken]), new=True)
    assert world.overlapping(key("one"), taken) is None
    assert world.overlapping(key("two"), AddressRange(parent="vpc", low=20, high=30)) == ("one", taken)
    assert world.overlapping(key("two"), AddressRange(parent="vpc", low=21, high=30)) is None
    assert world.overlapping(key("two"), AddressRange(parent="other", low=10, high=20)) is None


def test_many_writers_lose_nothing(world: World) -> None:
    def work(number: int) -> None:
        world.save(entry(f"r{number}"), new=True)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(100)))
    assert world.counts() == {"aws": 100}
    assert len(world.resources("aws")) == 100
    assert world.resources("gcp") == []


def test_a_fault_is_used_up_once_even_by_many(world: World) -> None:
    world.inject_fault("*", "urn", "no", times=3)
    with ThreadPoolExecutor(8) as pool:
        struck = list(pool.map(lambda _: world.take_fault("create", "urn"), range(20)))
    assert sum(fault is not None for fault in struck) == 3


def test_drift_merges_and_removes(world: World) -> None:
    world.save(entry("one"), new=True)
    world.drift("aws", "aws:x:Y", "one", {"tags": {"a": "b"}})
    found = world.drift("aws", "aws:x:Y", "one", {"tags": {"c": "d"}}, remove=["a"])
    assert found.inputs == {"tags": {"a": "b", "c": "d"}}
    assert found.outputs == {"b": [2], "tags": {"a": "b", "c": "d"}}
    assert world.get(key("one")) == world.resources("aws")[0]
