"""What each tier grants a tenant, read from components/catalogue/tiers.yaml: changing a tier is a change of data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter

from components.spec import Isolation, Model, Quantity, QuotaSpec, TenantSpec, Tier

_FILE = Path(__file__).parent / "catalogue" / "tiers.yaml"

Count = Annotated[int, Field(ge=0, le=100_000)]


class ContainerSize(Model):
    """Cores and memory of one container."""

    cpu: Quantity
    memory: Quantity


class ContainerDefaults(Model):
    """What a container gets that states no resources."""

    request: ContainerSize
    limit: ContainerSize


class ObjectCounts(Model):
    """The most objects of a kind that a tenant's namespace may hold."""

    services: Count
    configmaps: Count
    secrets: Count
    persistentvolumeclaims: Count
    deployments: Count
    """Also the limit of StatefulSets, and of CronJobs."""
    jobs: Count


class Grant(Model):
    """What a tenant may use in one region, and how its rows are kept apart."""

    isolation: Isolation
    quota: QuotaSpec
    cpu_burst: Annotated[int, Field(ge=1, le=10)]
    container: ContainerDefaults
    scratch: Quantity
    objects: ObjectCounts


@cache
def tiers() -> Mapping[Tier, Grant]:
    """Every tier's grant; pydantic.ValidationError names the key when the file is not what it should be."""
    data = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    grants = TypeAdapter(dict[Tier, Grant]).validate_python(data)
    if missing := set(Tier) - set(grants):
        raise ValueError(f"{_FILE.name} says nothing of the tier {', '.join(sorted(missing))}")
    return grants


def grant(tenant: TenantSpec) -> Grant:
    """The tier's grant, with what the tenant's own file says in its place."""
    own = {"quota": tenant.quota, "isolation": tenant.isolation}
    values = dict(tiers()[tenant.tier]) | {name: value for name, value in own.items() if value is not None}
    return Grant.model_validate(values)
