"""What our own program registers breaks no rule, and what is taken away from it does."""

from __future__ import annotations

import pytest

from components.spec import Cloud
from policies.rules import Resource
from policies.rules.tagging import taggable
from tests.contract.conftest import deploy
from tests.policy.baseline import DELETED, TAGS, as_judged, judge, spoiled


@pytest.fixture(scope="module", params=Cloud, ids=str)
def region(request: pytest.FixtureRequest) -> list[Resource]:
    return as_judged(deploy(request.param).made)


def test_a_region_breaks_no_rule(region: list[Resource]) -> None:
    assert judge(region) == []


def test_every_tag_of_everything_taggable_is_missed(region: list[Resource]) -> None:
    tagged = [one for one in region if one.type in taggable()]
    assert len(tagged) >= 3
    for one in tagged:
        place = taggable()[one.type]
        for key in TAGS:
            messages = judge([spoiled(one, (*place, key), DELETED)])
            assert any(f"lacks {key}" in message for message in messages), (one.type, key)
