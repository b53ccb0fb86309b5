"""Names fit, never collide, and stay what they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.naming import AUTONAME, RULES, brief, physical, stem

KINDS = st.sampled_from(sorted(RULES))
NAMES = st.text(min_size=1, max_size=120) | st.from_regex(r"[a-z0-9-]{1,120}", fullmatch=True)


@given(kind=KINDS, name=NAMES, incarnation=st.integers(1, 9))
def test_every_name_is_within_its_limits(kind: str, name: str, incarnation: int) -> None:
    found = physical(kind, name, incarnation=incarnation)
    assert RULES[kind].accepts(found)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", found)
    assert "--" not in found


@given(kind=KINDS, one=NAMES, other=NAMES)
def test_two_names_never_become_one(kind: str, one: str, other: str) -> None:
    assert (physical(kind, one) == physical(kind, other)) == (one == other) or other in (
        physical(kind, one),
        physical(kind, other),
    )


@given(kind=KINDS, prefix=st.from_regex(r"[a-z]{60}", fullmatch=True), tails=st.sets(st.text(min_size=1), min_size=2))
def test_long_names_that_differ_only_at_the_end_stay_apart(kind: str, prefix: str, tails: set[str]) -> None:
    names = {prefix * 2 + tail for tail in tails}
    assert len({physical(kind, name) for name in names}) == len(names)


@given(kind=KINDS, name=NAMES)
def test_a_legal_name_stays_as_it_is(kind: str, name: str) -> None:
    once = physical(kind, name)
    assert physical(kind, once) == once
    if RULES[kind].accepts(name):
        assert once == name


@given(kind=KINDS, name=NAMES, incarnations=st.sets(st.integers(1, 1000), min_size=2, max_size=5))
def test_each_incarnation_has_its_own_name(kind: str, name: str, incarnations: set[int]) -> None:
    found = {physical(kind, name, incarnation=one) for one in incarnations}
    assert len(found) == len(incarnations)


@given(kind=KINDS.filter(lambda kind: RULES[kind].longest > 12 + AUTONAME), name=NAMES)
def test_a_stem_leaves_room_for_the_random_suffix(kind: str, name: str) -> None:
    assert len(stem(kind, name)) + AUTONAME <= RULES[kind].longest


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("aws/eks-cluster", "meridian-prod-aws-usw2"),
        ("azure/aks-cluster", "meridian-prod-azure-cin"),
        ("gcp/gke-cluster", "meridian-prod-gcp-euw1"),
        ("gcp/service-account", "prod-gcp-euw1-nodes"),
    ],
)
def test_the_names_of_every_day_are_read_as_they_were_written(kind: str, name: str) -> None:
    assert physical(kind, name) == name


def test_a_name_that_is_cut_still_begins_like_the_whole() -> None:
    found = physical("azure/key-vault", "staging-azure-centralindia-secrets")
    assert found.startswith("staging-azure-c")
    assert len(found) == 24


def test_a_service_account_of_three_letters_is_made_long_enough() -> None:
    assert len(physical("gcp/service-account", "abc")) >= 6


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("arn:aws:iam::111122223333:role/teams/platform-admins", "platform-admins"),
        ("platform-admins@example.com", "platform-admins"),
        ("99999999-2222-3333-4444-555555555555", "99999999-2222-3333-4444"),
    ],
)
def test_a_brief_name_says_what_it_is_short_for(name: str, word: str) -> None:
    assert brief(name).rpartition("-")[0] == word


@given(one=NAMES, other=NAMES)
def test_brief_names_are_distinct_and_fit_for_logical_names(one: str, other: str) -> None:
    assert (brief(one) == brief(other)) == (one == other)
    assert re.fullmatch(r"[a-z0-9-]{1,33}", brief(one))
