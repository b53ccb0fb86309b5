"""The catalogue is complete, unambiguous and says what was meant."""

from __future__ import annotations

from datetime import date

import pytest

from components import catalogue
from components.spec import Cloud, ClusterSpec, PoolSpec

TODAY = date(2026, 11, 21)
"""A fixed day: a clone must not break by the calendar."""


@pytest.mark.parametrize("cloud", Cloud)
def test_every_cloud_has_regions_and_each_has_three_zones_of_its_own(cloud: Cloud) -> None:
    found = catalogue.regions(cloud)
    assert len(found) >= 8
    for region in found.values():
        assert len(set(region.zones)) == 3
        assert region.latency in catalogue.regions(Cloud.AWS)


@pytest.mark.parametrize(
    ("cloud", "location"),
    [(Cloud.AWS, "us-west-2"), (Cloud.AWS, "us-east-1"), (Cloud.GCP, "europe-west1"), (Cloud.AZURE, "centralindia")],
)
def test_the_regions_that_the_environments_use_are_there(cloud: Cloud, location: str) -> None:
    assert catalogue.region(cloud, location).city


@pytest.mark.parametrize("cloud", Cloud)
def test_no_mistaken_code_means_two_regions_or_is_right(cloud: Cloud) -> None:
    found = catalogue.regions(cloud)
    mistaken = [code for region in found.values() for code in region.mistaken]
    assert len(mistaken) == len(set(mistaken))
    assert not set(mistaken) & set(found)


@pytest.mark.parametrize(
    ("cloud", "written", "meant"),
    [
        (Cloud.GCP, "eu-west-1", "europe-west1"),
        (Cloud.AZURE, "ap-south-1", "centralindia"),
        (Cloud.AWS, "europe-west1", "eu-west-1"),
    ],
)
def test_another_clouds_code_is_explained(cloud: Cloud, written: str, meant: str) -> None:
    with pytest.raises(catalogue.Unknown) as caught:
        catalogue.region(cloud, written)
    assert caught.value.near == meant
    assert f"is called {meant}" in str(caught.value)
    assert meant in caught.value.accepted


@pytest.mark.parametrize(
    ("cloud", "written", "meant"),
    [
        (Cloud.AWS, "us-wst-2", "us-west-2"),
        (Cloud.GCP, "europe-west11", "europe-west1"),
        (Cloud.AZURE, "centralinda", "centralindia"),
    ],
)
def test_a_slip_of_the_keyboard_gets_the_nearest_code(cloud: Cloud, written: str, meant: str) -> None:
    with pytest.raises(catalogue.Unknown, match=f"did you mean {meant}"):
        catalogue.region(cloud, written)


def test_nonsense_gets_no_guess() -> None:
    with pytest.raises(catalogue.Unknown) as caught:
        catalogue.region(Cloud.AWS, "atlantis")
    assert caught.value.near is None


@pytest.mark.parametrize("cloud", Cloud)
def test_every_size_is_a_machine_on_every_cloud_and_no_two_are_the_same(cloud: Cloud) -> None:
    machines = [catalogue.machine(name, cloud) for name in catalogue.sizes()]
    assert len(machines) == len(set(machines))


def test_no_size_is_too_small_for_a_system_pool_of_aks() -> None:
    assert min(size.vcpu for size in catalogue.sizes().values()) >= 4


def test_the_defaults_of_the_spec_are_in_the_catalogue() -> None:
    assert catalogue.size(PoolSpec(min=1, max=1).size)
    for cloud in Cloud:
        assert ClusterSpec().version in catalogue.supported(cloud, TODAY)


def test_an_unknown_size_is_named_with_its_neighbour() -> None:
    with pytest.raises(catalogue.Unknown, match="did you mean medium"):
        catalogue.machine("mediun", Cloud.AWS)


@pytest.mark.parametrize(
    ("cloud", "on", "minors"),
    [
        (Cloud.AWS, TODAY, ("1.34", "1.35", "1.36")),
        (Cloud.GCP, TODAY, ("1.35", "1.36")),
        (Cloud.AZURE, date(2026, 12, 1), ("1.35", "1.36")),
        (Cloud.AWS, date(2027, 8, 3), ()),
    ],
)
def test_support_ends_after_its_last_day(cloud: Cloud, on: date, minors: tuple[str, ...]) -> None:
    assert catalogue.supported(cloud, on) == minors
