"""Templates: what they say, what they leave out, and what stays secret or unknown."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.clouds.account import Account
from sandbox.clouds.paths import MISSING
from sandbox.clouds.templates import Context, render
from sandbox.cluster_host import ClusterEndpoint
from sandbox.wire import UNKNOWN, secret

ENDPOINT = ClusterEndpoint(url="https://127.0.0.1:20001", ca_pem="PEM", version="1.35.4")


def context(**more: Any) -> Context:
    account = Account(package="aws", account="111122223333", region="us-west-2", tags={"owner": "us"})
    inputs = {"name": "n", "size": 5, "tags": {"team": "a"}, "list": ["a", "b"], "deep": {"er": "x"}, **more}
    return Context(account=account, inputs=inputs, logical="logical", id="id-1", name="n", seed="s", endpoint=ENDPOINT)


CASES: list[tuple[Any, Any]] = [
    ("{partition}:{region}:{account}:{id}", "aws:us-west-2:111122223333:id-1"),
    ("{in.size}", 5),
    ("{in.size}/{in.name}", "5/n"),
    ("{in.deep.er}", "x"),
    ("{in.list.1}", "b"),
    ("{in.none|in.name}", "n"),
    ("{in.none|1.35}", "1.35"),
    ("{in.none|}", ""),
    ("{in.none}", MISSING),
    ("a {in.none} b", MISSING),
    ("{{in.name}}", "{in.name}"),
    ("{tags_all}", {"owner": "us", "team": "a"}),
    ("{lower:in.name}", "n"),
    ("{last:in.path}", MISSING),
    ("{cluster.address} {cluster.minor} {cluster.ca_base64}", "127.0.0.1:20001 1.35 UEVN"),
    ({"a": "{in.name}", "b": "{in.none}", "c": [1, "{in.size}"]}, {"a": "n", "c": [1, 5]}),
    (True, True),
]


@pytest.mark.parametrize(("template", "value"), CASES, ids=[str(t) for t, _ in CASES])
def test_says(template: Any, value: Any) -> None:
    assert render(template, context()) == value


def test_a_resources_own_region_counts() -> None:
    assert render("{region}", context(region="eu-west-1")) == "eu-west-1"


def test_what_is_made_of_secrets_is_secret() -> None:
    hidden = context(name=secret("x"), tags=secret({"team": "a"}))
    assert render("arn/{in.name}", hidden) == secret("arn/x")
    assert render("{tags_all}", hidden) == secret({"owner": "us", "team": "a"})
    assert render("{last:in.name}", hidden) == secret("x")


def test_what_is_made_of_unknowns_is_unknown() -> None:
    assert render("arn/{in.name}", context(name=UNKNOWN)) == UNKNOWN
    assert render("{crc:in.name}", context(name=UNKNOWN)) == UNKNOWN


def test_random_values_follow_from_the_seed_and_the_place() -> None:
    one, other = context(), context()
    other.seed = "t"
    assert render("{hex:17}", one, "a") == render("{hex:17}", one, "a")
    assert len({render("{hex:17}", c, salt) for c in (one, other) for salt in "ab"}) == 4
    assert len(render("{digits:12}", one)) == 12
    assert not render("{digits:12}", one).startswith("0")
