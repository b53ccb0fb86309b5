"""Every stack of every environment that ships breaks no rule, in its first preview and with everything known."""

from __future__ import annotations

import pytest

from stacks.slices import Slice
from tests.backend import Backend
from tests.policy.baseline import as_judged, judge
from tests.unit.test_stacks import SLICES, everything_up, register

TENANTS = [part for part in SLICES if part.part == "tenants"]


def test_every_environment_has_tenants() -> None:
    assert {part.environment for part in TENANTS} == {part.environment for part in SLICES} >= {"staging", "prod"}


@pytest.mark.parametrize("part", SLICES, ids=str)
def test_a_stack_breaks_no_rule(part: Slice) -> None:
    _, made = register(part, everything_up(), preview=False)
    assert judge(as_judged(made)) == []


@pytest.mark.parametrize("part", SLICES, ids=str)
def test_nor_does_its_first_preview_in_an_empty_world(part: Slice) -> None:
    _, made = register(part, Backend(), preview=True)
    assert judge(as_judged(made)) == []


@pytest.mark.parametrize("part", TENANTS, ids=str)
@pytest.mark.parametrize("empty", [True, False], ids=["empty world", "existing world"])
def test_a_tenant_without_its_quota_is_noticed(part: Slice, empty: bool) -> None:
    _, made = register(part, Backend() if empty else everything_up(), preview=empty)
    (message,) = judge([one for one in as_judged(made) if one.name != "globex-quota"])
    assert message.startswith("[tenant-quota] Namespace globex: ")
