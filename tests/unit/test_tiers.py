from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components import quantity, tenant_objects
from components.spec import Isolation, QuotaSpec, TenantSpec, Tier
from components.tiers import Grant, grant, tiers


def tenant(**change: Any) -> TenantSpec:
    spec = {
        "id": "acme",
        "name": "Acme",
        "tier": "standard",
        "owner": "platform@acme.example",
        "cost_center": "cc-4100",
        "developers": ["acme-developers"],
    }
    return TenantSpec.model_validate(spec | change)


def test_every_tier_says_what_it_grants() -> None:
    assert tiers().keys() == set(Tier)


def test_isolation_follows_the_tier() -> None:
    assert {tier: tiers()[tier].isolation for tier in Tier} == {
        Tier.ENTERPRISE: Isolation.DATABASE,
        Tier.STANDARD: Isolation.ROW,
        Tier.FREE: Isolation.ROW,
    }


def test_more_is_granted_to_those_who_pay_more() -> None:
    free, standard, enterprise = (tiers()[tier].quota for tier in (Tier.FREE, Tier.STANDARD, Tier.ENTERPRISE))
    for less, more in ((free, standard), (standard, enterprise)):
        for name in ("cpu", "memory", "storage"):
            assert quantity.parse(getattr(less, name)) < quantity.parse(getattr(more, name)), name
        assert less.pods < more.pods
        assert less.gpus <= more.gpus


def test_the_tenants_own_file_comes_first() -> None:
    own = {"cpu": "3", "memory": "6Gi", "storage": "10Gi", "pods": 7}
    granted = grant(tenant(quota=own, isolation="schema"))
    assert granted.quota == QuotaSpec.model_validate(own)
    assert granted.isolation is Isolation.SCHEMA
    assert granted.container == tiers()[Tier.STANDARD].container


def test_a_tier_with_a_slip_names_the_key() -> None:
    values = tiers()[Tier.FREE].model_dump() | {"cpu_burts": 2}
    with pytest.raises(ValidationError, match="cpu_burts"):
        Grant.model_validate(values)


SMALL = {"cpu": "100m", "memory": "64Mi", "storage": "500Mi", "pods": 1}


@pytest.mark.parametrize("spec", [*({"tier": tier} for tier in Tier), {"quota": SMALL}], ids=str)
def test_a_container_that_asks_for_nothing_fits_the_quota(spec: dict[str, Any]) -> None:
    granted = grant(tenant(**spec))
    limits: Any = tenant_objects.limits(granted).get("limits")
    hard: Any = tenant_objects.quota(granted).get("hard")
    container, volume = limits
    for resource in ("cpu", "memory"):
        request, limit = container["default_request"][resource], container["default"][resource]
        assert quantity.parse(request) <= quantity.parse(limit)
        assert quantity.parse(request) <= quantity.parse(hard[f"requests.{resource}"])
        assert quantity.parse(limit) <= quantity.parse(hard[f"limits.{resource}"])
    assert quantity.parse(volume["min"]["storage"]) <= quantity.parse(volume["max"]["storage"])


@pytest.mark.parametrize("tier", Tier)
def test_as_many_containers_as_pods_fit_the_quota_by_default(tier: Tier) -> None:
    granted = tiers()[tier]
    for resource in ("cpu", "memory"):
        all_pods = quantity.parse(getattr(granted.container.request, resource)) * granted.quota.pods
        assert all_pods <= quantity.parse(getattr(granted.quota, resource)) * 2


@pytest.mark.parametrize(
    ("written", "given_back"),
    [
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1000", "1k"),
        ("2000", "2k"),
        ("1500", "1500"),
        ("0", "0"),
        ("0Gi", "0"),
        ("100m", "100m"),
        ("4Ti", "4Ti"),
        ("4096Gi", "4Ti"),
        ("1000Gi", "1000Gi"),
        ("1G", "1G"),
    ],
)
def test_quantities_are_written_as_an_api_server_gives_them_back(written: str, given_back: str) -> None:
    assert quantity.canonical(written) == given_back


@pytest.mark.parametrize("text", ["", "m", "1X", "-1", "1.", "Gi", "1 Gi", "1e3"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Kubernetes quantity"):
        quantity.parse(text)


QUANTITIES = st.builds(
    lambda number, suffix: f"{number}{suffix}",
    st.integers(0, 10**6),
    st.sampled_from(["m", "", "k", "M", "G", "Ki", "Mi", "Gi", "Ti"]),
)


@given(QUANTITIES)
def test_the_canonical_form_means_the_same_and_stays(text: str) -> None:
    canonical = quantity.canonical(text)
    assert quantity.parse(canonical) == quantity.parse(text)
    assert quantity.canonical(canonical) == canonical


@given(QUANTITIES, st.integers(1, 10))
def test_scaling_scales(text: str, factor: int) -> None:
    assert quantity.parse(quantity.times(text, factor)) == quantity.parse(text) * Decimal(factor)


@given(QUANTITIES, QUANTITIES)
def test_the_smaller_is_the_smaller(one: str, other: str) -> None:
    assert quantity.parse(quantity.smaller(one, other)) == min(quantity.parse(one), quantity.parse(other))
