"""What is wrong only beside something else: between regions, between environments, between tenants.

Each function yields problems and stops at none. Ranges must differ everywhere: between ranges of nodes, pods and
services, between regions, and between all environments of a project. Pods on an overlay are no exception, although no
router sees them: only where an address means one thing can clusters, regions and environments ever be linked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from itertools import combinations

from components import subnets
from components.spec import PoolKind, TenantSpec
from stacks.checks_catalogue import of_place
from stacks.errors import ConfigError, near_miss, one_of
from stacks.model import Mode, Region, Role, lives_in
from stacks.slices import TENANTS_PER_SLICE
from stacks.translate import Source

_FREE = "one that no region of any environment here uses"

Regions = Sequence[Source[Region]]

_RESERVED_NAMES = frozenset({"global", "links"})
"""Stacks that belong to no region: staging.global, staging.links."""


def of_regions(regions: Regions, others: Mapping[str, Regions], *, complete: bool) -> Iterator[ConfigError]:
    """Problems of an environment's regions. `complete`: all of its regions are there, so counts mean something."""
    yield from _names(regions)
    if complete:
        yield from _roles(regions)
    for region in regions:
        yield from _alone(region)
        yield from of_place(region)
    yield from _ranges(regions, others)


def of_tenants(
    environment: str, tenants: Iterable[Source[TenantSpec]], regions: Mapping[str, Sequence[str] | None]
) -> Iterator[ConfigError]:
    """Problems of tenants. `regions`: names of each environment's regions; None where they are not all known."""
    tenants = list(tenants)
    first: dict[str, str] = {}
    for tenant in tenants:
        name = tenant.document.name
        stem = name.rpartition("/")[2].removesuffix(".yaml")
        if tenant.model.id != stem:
            yield tenant.error("id", f"{{value}} in a file named {stem}.yaml", accepted=f"{stem}, or the file renamed")
        if tenant.model.id in first:
            yield tenant.error("id", f"the tenant {{value}} is in {first[tenant.model.id]} already")
        first.setdefault(tenant.model.id, name)
        yield from _whereabouts(environment, tenant, regions)
    yield from _crowded(environment, tenants, regions[environment])


def _names(regions: Regions) -> Iterator[ConfigError]:
    seen: dict[str, Source[Region]] = {}
    for region in regions:
        name = region.model.name
        if name in _RESERVED_NAMES:
            yield region.error("name", "{value} is reserved: a stack of that name belongs to no region")
        if name in seen:
            line = seen[name].document.line((*seen[name].path, "name"))
            yield region.error("name", f"{{value}} names two regions, the first in line {line}")
        seen.setdefault(name, region)


def _roles(regions: Regions) -> Iterator[ConfigError]:
    primaries = [region for region in regions if region.model.role is Role.PRIMARY]
    if not primaries:
        names = [region.model.name for region in regions]
        yield regions[0].error(
            "role", "no region has the role primary", accepted=f"exactly one of {one_of(names)} as primary"
        )
    for second in primaries[1:]:
        yield second.error(
            "role",
            f"a second primary region beside {primaries[0].model.name}",
            accepted="secondary or tertiary; exactly one region is primary",
        )
    for primary in primaries:
        if primary.model.mode is not Mode.ACTIVE:
            yield primary.error("mode", "the primary region is {value}, so none would serve", accepted="active")


def _alone(region: Source[Region]) -> Iterator[ConfigError]:
    for kind in PoolKind:
        pool = region.model.cluster.pool(kind)
        if pool.min > pool.max:
            yield region.error(f"cluster.{kind}_pool.min", f"min {pool.min} is more than max {pool.max}")
    for position, authorized in enumerate(region.model.cluster.authorized_ranges):
        if authorized.prefixlen == 0:
            yield region.error(
                f"cluster.authorized_ranges.{position}",
                "{value} opens the API server to the whole internet",
                accepted="the ranges of your offices, VPNs and runners",
            )
    for kind, problem in subnets.problems(region.model.network, region.model.cloud):
        yield region.error(f"network.{kind}", problem)


def _own(region: Source[Region]) -> Iterator[tuple[str, IPv4Network]]:
    network = region.model.network
    yield from (("range", network.range), ("pods", network.pods), ("services", network.services))


def _ranges(regions: Regions, others: Mapping[str, Regions]) -> Iterator[ConfigError]:
    ours = [(region, kind, own) for region in regions for kind, own in _own(region)]
    for (earlier, earlier_kind, taken), (region, kind, own) in combinations(ours, 2):
        if own.overlaps(taken):
            whose = f"{earlier_kind} of {earlier.model.name}"
            yield region.error(f"network.{kind}", f"{{value}} overlaps {taken}, {whose}", accepted=_FREE)
    for environment, theirs in others.items():
        for region, kind, own in ours:
            for other in theirs:
                for other_kind, taken in _own(other):
                    if own.overlaps(taken):
                        whose = f"{other_kind} of {other.model.name} in environment {environment}"
                        yield region.error(f"network.{kind}", f"{{value}} overlaps {taken}, {whose}", accepted=_FREE)


def _whereabouts(
    environment: str, tenant: Source[TenantSpec], regions: Mapping[str, Sequence[str] | None]
) -> Iterator[ConfigError]:
    for position, wanted in enumerate(tenant.model.environments):
        if wanted not in regions:
            yield tenant.error(
                f"environments.{position}",
                "there is no environment {value}",
                accepted=one_of(regions),
                near=near_miss(wanted, regions),
            )
    homes = [names for name, names in regions.items() if lives_in(tenant.model, name)]
    if any(names is None for names in homes):
        return
    known = {name for names in homes for name in names or ()}
    unknown = [name for name in tenant.model.regions if name not in known]
    for wanted in unknown:
        yield tenant.error(
            f"regions.{tenant.model.regions.index(wanted)}",
            "there is no region {value} in the tenant's environments",
            accepted=one_of(known),
            near=near_miss(wanted, known),
        )
    here = regions[environment] or ()
    if (
        not unknown
        and lives_in(tenant.model, environment)
        and not any(lives_in(tenant.model, environment, name) for name in here)
    ):
        yield tenant.error(
            "regions",
            f"the tenant lives in {environment}, but in none of its regions",
            accepted=f"some of {one_of(here)}; or environments without {environment}",
        )


def _crowded(
    environment: str, tenants: Sequence[Source[TenantSpec]], regions: Sequence[str] | None
) -> Iterator[ConfigError]:
    holders: defaultdict[int, list[Source[TenantSpec]]] = defaultdict(list)
    for region in regions or ():
        living = [one for one in tenants if lives_in(one.model, environment, region)]
        sizes = Counter(one.model.slice for one in living)
        for number in [number for number, size in sizes.items() if size > TENANTS_PER_SLICE]:
            crowd = [one for one in living if one.model.slice == number]
            if len(crowd) > len(holders[number]):
                holders[number] = crowd
    used = Counter(one.model.slice for one in tenants)
    room = next(number for number in range(100) if used[number] < TENANTS_PER_SLICE) if len(used) < 100 else None
    for number, crowd in sorted(holders.items()):
        yield max(crowd, key=lambda one: one.model.id).error(
            "slice",
            f"slice {number} would hold {len(crowd)} tenants in one region, {TENANTS_PER_SLICE} at most",
            accepted=f"slice: {room} has room; a tenant that is up already should stay where it is",
        )
