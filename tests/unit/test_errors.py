from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.errors import ConfigError, ConfigErrors, near_miss, one_of, shown

REGIONS = ["us-west-2", "us-east-1", "europe-west1", "centralindia"]


def test_a_message_says_where_what_and_what_would_be_right():
    error = ConfigError(
        file="Pulumi.staging.yaml",
        line=12,
        key="regions.west.location",
        problem="us-wset-2 is not a region of aws",
        accepted="us-east-1, us-west-2",
        near="us-west-2",
    )

    assert str(error) == (
        "Pulumi.staging.yaml:12: regions.west.location: us-wset-2 is not a region of aws\n"
        "  did you mean: us-west-2\n"
        "  accepted: us-east-1, us-west-2"
    )


def test_a_message_without_a_place_is_its_problem():
    assert str(ConfigError(problem="nothing is up")) == "nothing is up"
    assert str(ConfigError(file="a.yaml", problem="is empty")) == "a.yaml: is empty"


def test_problems_are_told_once_in_the_order_of_files_and_lines():
    later = ConfigError(file="b.yaml", line=1, problem="x")
    second = ConfigError(file="a.yaml", line=10, problem="x")
    first = ConfigError(file="a.yaml", line=9, problem="x")

    errors = ConfigErrors([later, second, first, second])

    assert errors.errors == (first, second, later)
    assert str(errors) == "3 problems:\na.yaml:9: x\na.yaml:10: x\nb.yaml:1: x"
    assert str(ConfigErrors([first, first])) == "a.yaml:9: x"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("us-wset-2", "us-west-2"), ("US-WEST-2", "us-west-2"), ("europe-west-1", "europe-west1"), ("mars", "")],
)
def test_a_near_miss_is_close_and_nothing_else(written, meant):
    assert near_miss(written, REGIONS) == meant


@given(st.text(), st.lists(st.text(), max_size=5))
def test_a_near_miss_is_always_one_of_the_accepted(written, accepted):
    assert near_miss(written, accepted) in [*accepted, ""]


def test_nothing_to_choose_from_is_said():
    assert one_of([]) == "nothing"
    assert one_of(["b", "a"]) == "a, b"


@pytest.mark.parametrize(
    "key",
    ["db_password", "apiKey", "api-key", "client_secret", "auth.token", "regions.west.kubeconfig", "AWS_ACCESS_KEY_ID"],
)
def test_values_of_keys_that_sound_secret_are_masked(key):
    assert shown(key, "hunter2") == "***"


@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdef",
        "glpat-0123456789",
        "eyJhbGciOiJSUzI1NiJ9.e30.x",
        "postgres://meridian:hunter2@db.internal/x",
    ],
)
def test_values_that_look_secret_are_masked_under_any_key(value):
    assert shown("name", value) == "***"


def test_other_values_are_shown_on_one_line_and_not_at_length():
    assert shown("name", "us-west-2") == "us-west-2"
    assert shown("name", "a\n  b") == "a b"
    assert shown("name", "x" * 500) == "x" * 79 + "…"
