from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.slices import Slice, waves

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)
SLICES = st.one_of(
    st.builds(Slice, NAMES, NAMES, st.sampled_from(["region", "platform"])),
    st.builds(Slice, NAMES, NAMES, st.just("tenants"), st.integers(0, 99)),
)


@given(SLICES)
def test_a_stack_name_says_all_of_its_slice(one):
    assert Slice.parse(one.stack_name) == one
    assert str(one) == one.stack_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("staging.aws-usw2", Slice("staging", "aws-usw2")),
        ("staging.aws-usw2.platform", Slice("staging", "aws-usw2", "platform")),
        ("prod.gcp-euw1.tenants-07", Slice("prod", "gcp-euw1", "tenants", 7)),
    ],
)
def test_names_are_read_as_the_design_writes_them(name, expected):
    assert Slice.parse(name) == expected


@pytest.mark.parametrize(
    "name", ["staging", "staging.", ".aws", "staging.aws.tenants-7", "staging.aws.tenants", "a.b.platform.x", "A.b", ""]
)
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=r"ENVIRONMENT\.REGION"):
        Slice.parse(name)


def test_a_number_belongs_to_tenants_slices_only():
    with pytest.raises(ValueError, match="number"):
        Slice("staging", "aws", "region", 1)
    with pytest.raises(ValueError, match="number"):
        Slice("staging", "aws", "tenants")
    with pytest.raises(ValueError, match="0 to 99"):
        Slice("staging", "aws", "tenants", 100)


@given(st.lists(SLICES, unique=True))
def test_a_slice_comes_after_all_that_it_reads(some):
    groups = waves(some)

    assert sorted(map(str, some)) == sorted(str(one) for group in groups for one in group)
    wave_of = {one: number for number, group in enumerate(groups) for one in group}
    for one in some:
        assert all(wave_of[other] < wave_of[one] for other in one.upstream if other in wave_of)


def test_slices_that_do_not_read_each_other_share_a_wave():
    some = [Slice("e", region, part) for region in ("aa", "bb") for part in ("platform", "region")]

    assert waves(some) == ((some[1], some[3]), (some[0], some[2]))
