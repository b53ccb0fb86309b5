"""Order without unknown values: what waits for something new stays known in a preview."""

from __future__ import annotations

import pulumi
from pulumi import Output

from components.ordering import once_made
from tests.recording import Registered, record


class Thing(pulumi.CustomResource):
    def __init__(self, name: str, **props: pulumi.Input[str]) -> None:
        super().__init__("test:index:Thing", name, dict(props))


def registered(*, by_id: bool) -> dict[str, Registered]:
    """A role whose policy is new, and something made with the role, in a preview."""

    def program() -> None:
        role, policy = Output.from_input("arn:role"), Thing("policy")
        waiting = Output.all(role, policy.id).apply(lambda found: found[0]) if by_id else once_made(role, policy)
        Thing("cluster", role=waiting)

    return {one.name: one for one in record(program, preview=True, silent=True)}


def test_the_value_is_known_before_what_it_waits_for_exists() -> None:
    assert registered(by_id=False)["cluster"].props["role"] == "arn:role"


def test_waiting_for_an_id_would_have_hidden_it() -> None:
    assert registered(by_id=True)["cluster"].props["role"] != "arn:role"


def test_what_is_made_with_it_comes_after() -> None:
    found = registered(by_id=False)
    assert found["policy"].urn in found["cluster"].depends_on
