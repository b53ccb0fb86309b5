"""What a region asks of its cloud, held against the catalogue: locations, accounts, machine sizes, versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from components import catalogue
from components.spec import Cloud, PoolKind
from stacks.errors import ConfigError
from stacks.model import Region
from stacks.translate import Source

_NOTICE = timedelta(days=60)
"""How long before the end of support a person is warned."""


@dataclass(frozen=True)
class _Form:
    """How a cloud writes something, as a pattern and in words."""

    pattern: str
    words: str


_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

_ACCOUNTS: Mapping[Cloud, _Form] = {
    # docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
    Cloud.AWS: _Form(r"\d{12}", 'an AWS account id: 12 digits, in quotes, such as "111122223333"'),
    Cloud.AZURE: _Form(_GUID, "an Azure subscription id such as 5f0c0a1e-3b7d-4c59-9d1a-2f6d1c1e7a10"),
    # cloud.google.com/resource-manager/docs/creating-managing-projects
    Cloud.GCP: _Form(
        r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "a GCP project id: 6 to 30 lower-case letters, digits and hyphens, a letter first",
    ),
}

_ADMIN_GROUPS: Mapping[Cloud, _Form] = {
    Cloud.AWS: _Form(
        r"arn:aws[a-z-]*:iam::\d{12}:role/.+",
        "the ARN of an IAM role such as arn:aws:iam::111122223333:role/platform-admin",
    ),
    Cloud.AZURE: _Form(_GUID, "the object id of a group in Microsoft Entra"),
    Cloud.GCP: _Form(r"[^@\s]+@[^@\s]+\.[^@\s]+", "the address of a Google group"),
}


def of_place(region: Source[Region]) -> Iterator[ConfigError]:
    """Problems of one region with its cloud."""
    cloud, cluster = region.model.cloud, region.model.cluster
    yield from _location(region)
    if not re.fullmatch(_ACCOUNTS[cloud].pattern, region.model.account):
        yield region.error("account", f"{{value}} is no account of {cloud}", accepted=_ACCOUNTS[cloud].words)
    for position, group in enumerate(cluster.admin_groups):
        if not re.fullmatch(_ADMIN_GROUPS[cloud].pattern, group):
            key = f"cluster.admin_groups.{position}"
            yield region.error(key, f"{{value}} is no group on {cloud}", accepted=_ADMIN_GROUPS[cloud].words)
    for kind in PoolKind:
        yield from _unknown(region, f"cluster.{kind}_pool.size", partial(catalogue.size, cluster.pool(kind).size))
    offered = _offered(cloud)
    if cluster.version not in offered:
        yield region.error(
            "cluster.version",
            f"Kubernetes {cluster.version} is not in standard support on {cloud}",
            accepted=", ".join(offered),
        )


def ageing(regions: Iterable[Region], on: date) -> Iterator[str]:
    """Warnings of versions that leave standard support within 60 days of the given day, or have left it.

    Only warnings: what was right when it was written must not stop working by the calendar alone.
    """
    for region in regions:
        until = catalogue.versions()[region.cluster.version][region.cloud]
        if on + _NOTICE > until:
            when = f"left standard support on {until}" if on > until else f"leaves standard support on {until}"
            newer = [minor for minor in _offered(region.cloud) if minor > region.cluster.version]
            remedy = f": set cluster.version to {newer[0]}" if newer else ""
            yield f"region {region.name}: Kubernetes {region.cluster.version} {when} on {region.cloud}{remedy}"


def _location(region: Source[Region]) -> Iterator[ConfigError]:
    cloud, location = region.model.cloud, region.model.location
    others = [
        f"{other} ({catalogue.region(other, location).city})"
        for other in Cloud
        if other is not cloud and location in catalogue.regions(other)
    ]
    if others:
        problem = f"{{value}} is a region of {' and '.join(others)}, not of {cloud}"
    else:
        problem = f"{{value}} is not a region of {cloud}"
    yield from _unknown(region, "location", lambda: catalogue.region(cloud, location), problem)


def _unknown(
    region: Source[Region], key: str, look_up: Callable[[], object], problem: str = "{value} is not in the catalogue"
) -> Iterator[ConfigError]:
    try:
        look_up()
    except catalogue.Unknown as unknown:
        yield region.error(key, problem, accepted=", ".join(unknown.accepted), near=unknown.near or "")


def _offered(cloud: Cloud) -> list[str]:
    return sorted(minor for minor, until in catalogue.versions().items() if cloud in until)
