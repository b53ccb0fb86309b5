"""What an environment consists of. `stacks.environment` makes one from files, checked.

Frozen and complete: nothing here touches a network, reads a file or holds an Output.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from components.labels import Labels
from components.spec import Address, Cloud, ClusterSpec, Model, Name, NetworkSpec, Place, Slug, TenantSpec
from stacks.errors import ConfigError, ConfigErrors, near_miss
from stacks.slices import Slice, waves


class Role(StrEnum):
    """A region's rank: which one serves first, and which ones take over."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"


class Mode(StrEnum):
    """Whether a region serves all the time, or waits."""

    ACTIVE = "active"
    PASSIVE = "passive"


class Ownership(Model):
    """Who answers for the environment and who pays for what belongs to no tenant."""

    owner: Address
    cost_center: Slug
    project: Slug = "meridian"


class Region(Model):
    """One region of one cloud."""

    name: Name
    """Names its stacks; says more than the location: aws-usw2."""
    cloud: Cloud
    location: Annotated[str, Field(description="the cloud's own code of the region")]
    account: Annotated[str, Field(description="AWS account id, Azure subscription id or GCP project id, in quotes")]
    role: Role
    mode: Mode = Mode.ACTIVE
    network: NetworkSpec
    cluster: ClusterSpec = ClusterSpec()
    protect: bool = True
    """Whether the engine refuses to delete the cluster until this is false and applied."""

    @property
    def place(self) -> Place:
        """Where the region is."""
        return Place(cloud=self.cloud, location=self.location, account=self.account)


class Platform(Model):
    """What an environment's file holds under `config: meridian:platform:`."""

    labels: Ownership
    regions: Annotated[tuple[Region, ...], Field(min_length=1)]


class Environment(Model):
    """A checked environment; made by `load`."""

    name: Name
    labels: Ownership
    regions: tuple[Region, ...]
    tenants: tuple[TenantSpec, ...]
    """Those that live in this environment, by id."""

    def region(self, name: str) -> Region:
        """The region of that name; raises KeyError when there is none."""
        for region in self.regions:
            if region.name == name:
                return region
        raise KeyError(name)

    def tenants_of(self, part: Slice) -> tuple[TenantSpec, ...]:
        """The tenants that a tenants slice holds."""
        return tuple(
            tenant
            for tenant in self.tenants
            if tenant.slice == part.number and lives_in(tenant, self.name, part.region)
        )

    def slices(self) -> tuple[Slice, ...]:
        """All stacks of the environment, region by region. A tenants slice exists as long as it has a tenant."""
        return tuple(
            Slice(self.name, region.name, part, number)
            for region in self.regions
            for part, number in (
                ("region", None),
                ("platform", None),
                *(("tenants", number) for number in self._numbers(region.name)),
            )
        )

    def waves(self) -> tuple[tuple[Slice, ...], ...]:
        """All stacks in the order in which they come up; those of a group can run at once."""
        return waves(self.slices())

    def find(self, stack: str) -> Slice:
        """The slice with that stack name. Raises `ConfigErrors` naming the stacks that there are."""
        for part in self.slices():
            if part.stack_name == stack:
                return part
        names = [part.stack_name for part in self.slices()]
        if stack == self.name:
            # `stack rm` deletes the file that bears the stack's name, and here that is the environment's.
            problem = (
                f'"{stack}" is an environment, not a stack: a stack is a slice of one '
                f"(to remove the empty one: pulumi stack rm {stack} --preserve-config, or Pulumi.{stack}.yaml goes too)"
            )
            raise ConfigErrors([ConfigError(problem=problem, accepted=", ".join(names))])
        problem = f'environment {self.name} has no stack "{stack}"'
        if self._is_empty(stack):
            problem += f": no tenant has that slice (if its last one has gone: pulumi destroy -s {stack})"
        raise ConfigErrors([ConfigError(problem=problem, accepted=", ".join(names), near=near_miss(stack, names))])

    def labels_of(self, part: Slice) -> Labels:
        """The labels of what that slice registers."""
        return Labels(
            project=self.labels.project,
            environment=self.name,
            stack=part.stack_name,
            owner=self.labels.owner,
            cost_center=self.labels.cost_center,
        )

    def _is_empty(self, stack: str) -> bool:
        """Whether the name is that of a tenants slice in one of the regions."""
        try:
            part = Slice.parse(stack)
        except ValueError:
            return False
        return part.part == "tenants" and part.region in {region.name for region in self.regions}

    def _numbers(self, region: str) -> list[int]:
        return sorted({tenant.slice for tenant in self.tenants if lives_in(tenant, self.name, region)})


def lives_in(tenant: TenantSpec, environment: str, region: str | None = None) -> bool:
    """Whether the tenant lives in the environment and, when named, in that region of it."""
    in_environment = not tenant.environments or environment in tenant.environments
    return in_environment and (region is None or not tenant.regions or region in tenant.regions)
