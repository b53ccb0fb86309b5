"""The address plan: nothing overlaps, everything lies in its range, and no cloud refuses it."""

from __future__ import annotations

from ipaddress import IPv4Network, collapse_addresses
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.spec import Cloud, NetworkSpec
from components.subnets import plan, problems


@st.composite
def specs(draw: st.DrawFn) -> NetworkSpec:
    """Address plans whose three ranges are apart, of every size that NetworkSpec takes."""

    def of_size(block: str, prefix: int) -> IPv4Network:
        home = IPv4Network(block)
        position = draw(st.integers(0, 2 ** (prefix - home.prefixlen) - 1))
        return IPv4Network((int(home[0]) + position * 2 ** (32 - prefix), prefix))

    return NetworkSpec(
        range=of_size("10.0.0.0/9", draw(st.integers(16, 20))),
        pods=of_size("10.128.0.0/9", draw(st.integers(12, 19))),
        services=of_size("192.168.0.0/16", draw(st.integers(16, 24))),
    )


def spec(**ranges: str) -> NetworkSpec:
    usual = {"range": "10.16.0.0/16", "pods": "10.128.0.0/16", "services": "10.96.0.0/20"}
    return NetworkSpec.model_validate(usual | ranges)


@given(specs())
def test_no_two_subnets_overlap(spec: NetworkSpec) -> None:
    found = plan(spec)
    tiers = (found.private, found.data, found.public, found.control, found.pods)
    for one, other in combinations(tiers, 2):
        assert not one.regional.overlaps(other.regional)
    for one, other in combinations([zone for tier in tiers for zone in tier.zonal], 2):
        assert not one.overlaps(other)
    for tier in tiers:
        assert not tier.regional.overlaps(spec.services)


@given(specs())
def test_every_subnet_lies_in_its_tier_and_every_tier_in_its_range(spec: NetworkSpec) -> None:
    found = plan(spec)
    for tier in (found.private, found.data, found.public, found.control):
        assert tier.regional.subnet_of(spec.range)
        assert all(zone.subnet_of(tier.regional) for zone in tier.zonal)
    assert found.pods.regional == spec.pods


@given(specs())
def test_a_fourth_zone_and_a_sixteenth_of_the_range_are_kept_free(spec: NetworkSpec) -> None:
    found = plan(spec)
    taken = [tier.regional for tier in (found.private, found.data, found.public, found.control)]
    assert sum(one.num_addresses for one in taken) == spec.range.num_addresses * 15 // 16
    assert len(list(collapse_addresses(found.private.zonal))) == 2  # half and a quarter: the last quarter is free


@given(specs())
def test_the_smallest_subnets_are_large_enough_for_every_cloud(spec: NetworkSpec) -> None:
    found = plan(spec)
    assert all(zone.prefixlen <= 28 for zone in found.control.zonal)  # AWS's smallest subnet
    assert found.control.regional.prefixlen <= 28  # AKS API server VNet integration
    assert found.public.regional.prefixlen <= 26  # GCP's smallest proxy-only subnet
    assert all(zone.prefixlen <= 27 for zone in found.public.zonal)  # AWS load balancers


def test_the_sizes_are_what_the_table_says() -> None:
    found = plan(spec(range="10.16.0.0/20"))
    assert [str(tier.regional) for tier in (found.private, found.data, found.public, found.control)] == [
        "10.16.0.0/21",
        "10.16.8.0/22",
        "10.16.12.0/23",
        "10.16.14.0/24",
    ]


def test_a_larger_range_in_the_same_place_moves_no_tier_into_another() -> None:
    small, large = plan(spec(range="10.16.0.0/20")), plan(spec(range="10.16.0.0/16"))
    assert small.private.regional.subnet_of(large.private.regional)


@pytest.mark.parametrize(
    ("ranges", "key"),
    [
        ({"pods": "10.16.0.0/16"}, "pods"),
        ({"services": "10.128.4.0/22"}, "services"),
        ({"services": "10.16.0.0/20"}, "services"),
    ],
)
def test_ranges_that_overlap_are_refused(ranges: dict[str, str], key: str) -> None:
    with pytest.raises(ValueError, match=f"{key} .* overlaps"):
        plan(spec(**ranges))


@pytest.mark.parametrize("cloud", Cloud)
def test_the_usual_plan_suits_every_cloud(cloud: Cloud) -> None:
    assert list(problems(spec(), cloud)) == []
    assert list(problems(spec(pods="100.64.0.0/16"), cloud)) == []


@pytest.mark.parametrize(
    ("cloud", "ranges", "key", "why"),
    [
        (Cloud.AWS, {"pods": "10.128.0.0/14"}, "pods", "no block larger than /16"),
        (Cloud.AWS, {"pods": "172.20.0.0/16"}, "pods", "cannot join a VPC"),
        (Cloud.AWS, {"services": "100.64.0.0/20"}, "services", "10.0.0.0/8"),
        (Cloud.AWS, {"range": "172.17.0.0/20", "pods": "100.64.0.0/16"}, "range", "bridges"),
        (Cloud.AZURE, {"pods": "172.16.0.0/12"}, "pods", "AKS keeps"),
        (Cloud.AZURE, {"services": "172.30.4.0/24"}, "services", "AKS keeps"),
        (Cloud.GCP, {"range": "172.17.0.0/20"}, "range", "bridges"),
    ],
)
def test_what_a_cloud_keeps_for_itself_is_refused(cloud: Cloud, ranges: dict[str, str], key: str, why: str) -> None:
    assert why in dict(problems(spec(**ranges), cloud))[key]


def test_a_range_outside_the_private_ones_is_no_address_plan() -> None:
    with pytest.raises(ValidationError, match="private"):
        spec(range="8.8.0.0/16")
