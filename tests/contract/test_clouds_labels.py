"""Everything that can bear labels bears all of them, in a form that its cloud takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.aws import labels as aws
from components.azure import labels as azure
from components.gcp import labels as gcp
from components.labels import Labels
from components.spec import Cloud
from tests.contract.conftest import LABELS, Deployment

ENCODERS = {Cloud.AWS: aws.encode, Cloud.AZURE: azure.encode, Cloud.GCP: gcp.encode}
REQUIRED = {"project", "environment", "stack", "component", "owner", "cost_center", "managed_by"}
SDKS = {"aws": "pulumi_aws", "azure-native": "pulumi_azure_native", "gcp": "pulumi_gcp"}
ARGUMENTS = {
    "aws": {"tags": "tags"},
    "azure-native": {"tags": "tags"},
    "gcp": {"labels": "labels", "resource_labels": "resourceLabels"},
}

INSIDE: Mapping[str, str] = {
    "aws:ec2/launchTemplate:LaunchTemplate": "tagSpecifications.*.tags",
    "azure-native:containerservice:ManagedCluster": "agentPoolProfiles.*.tags",
    "gcp:container/nodePool:NodePool": "nodeConfig.resourceLabels",
}
"""Labels of what a resource makes in its turn (instances, disks), by type: the path to them."""


def argument(type_: str) -> str | None:
    """The property of a type that holds its labels, asked from the SDK; None where it cannot bear any."""
    package, module, name = type_.split(":")
    made = getattr(import_module(f"{SDKS[package]}.{module.split('/')[0].lower()}"), name)
    arguments = signature(made._internal_init).parameters
    return next((held for argument, held in ARGUMENTS[package].items() if argument in arguments), None)


def at(value: Any, path: str) -> list[Any]:
    """All values at a path, of which * stands for every item of a list."""
    found = [value]
    for key in path.split("."):
        found = [item for one in found for item in (one if key == "*" else [one[key]])]
    return found


def test_everything_taggable_bears_all_labels(region: Deployment) -> None:
    bare = {
        f"{one.type} {one.name}"
        for one in region.resources
        if (where := argument(one.type)) and not set(one.props.get(where) or ()) >= REQUIRED
    }
    assert bare == set()
    assert any(argument(one.type) for one in region.resources)


def test_what_a_resource_makes_in_its_turn_bears_them_too(region: Deployment) -> None:
    for one in region.resources:
        if one.type in INSIDE:
            found = at(one.props, INSIDE[one.type])
            assert found, one.name
            assert all(set(labels) >= REQUIRED for labels in found), one.name


def test_labels_say_which_resource_they_are_on(region: Deployment) -> None:
    for one in region.resources:
        where = argument(one.type)
        if where:
            assert one.props[where]["component"].startswith("staging-here"), one.name
            assert one.props[where]["environment"] == "staging"


@pytest.mark.parametrize("cloud", Cloud)
def test_all_clouds_use_the_same_keys(cloud: Cloud) -> None:
    assert set(ENCODERS[cloud](LABELS, "thing")) - {"Name"} == set(LABELS.canonical("thing"))


@pytest.mark.parametrize("cloud", Cloud)
def test_a_tenants_labels_are_the_tenants(cloud: Cloud) -> None:
    labels = LABELS.of_tenant("acme", owner="ops@acme.example", cost_center="cc-7", tier="free")
    found = ENCODERS[cloud](labels, "thing")
    assert (found["tenant"], found["cost_center"], found["tier"]) == ("acme", "cc-7", "free")


def anybody(owner: str, component: str) -> tuple[Labels, str]:
    return LABELS.model_copy(update={"owner": owner}), component


TEXT = st.text(min_size=1, max_size=400)


@given(owner=TEXT, component=TEXT)
def test_aws_takes_every_tag(owner: str, component: str) -> None:
    found = aws.encode(*anybody(owner, component))
    assert len(found) <= 50
    for key, value in found.items():
        assert re.fullmatch(r"[\w.:/=+@-]{1,128}", key)
        assert not key.startswith("aws:")
        assert re.fullmatch(r"[\w\s.:/=+@-]{0,256}", value)


@given(owner=TEXT, component=TEXT)
def test_azure_takes_every_tag_even_where_it_is_pickiest(owner: str, component: str) -> None:
    labels, name = anybody(owner, component)
    full = labels.of_tenant("acme", owner=owner, cost_center="cc-1", tier="enterprise")
    found = azure.encode(full, name)
    assert len(found) <= azure.MOST
    assert all(re.fullmatch(r"[a-z_]{1,128}", key) for key in found)
    assert all(len(value) <= 256 for value in found.values())


@given(owner=TEXT, component=TEXT)
def test_google_takes_every_label(owner: str, component: str) -> None:
    for key, value in gcp.encode(*anybody(owner, component)).items():
        assert re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key)
        assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)


def test_an_address_stays_readable_on_google() -> None:
    assert gcp.slug("ML-Platform@example.com") == "ml-platform-at-example-com"
    assert gcp.slug("staging.aws-usw2") == "staging-aws-usw2"


def test_long_values_that_differ_only_at_the_end_stay_apart_on_google() -> None:
    assert gcp.slug("x" * 70 + "1") != gcp.slug("x" * 70 + "2")
