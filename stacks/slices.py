"""Stacks are slices of an environment: their names, what they build on, and in which order they come up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Part = Literal["region", "platform", "tenants"]

TENANTS_PER_SLICE = 25
"""Keeps a slice at some 300 resources (11 to 12 a tenant): state files are written whole after every step."""

_STACK = re.compile(
    r"(?P<environment>[a-z][a-z0-9-]*)\.(?P<region>[a-z][a-z0-9-]*)"
    r"(\.((?P<platform>platform)|tenants-(?P<number>\d{2})))?"
)


@dataclass(frozen=True)
class Slice:
    """One stack. `str()` and `stack_name` give the name that `Slice.parse` reads."""

    environment: str
    region: str
    part: Part = "region"
    number: int | None = None
    """Of a tenants slice, 0 to 99."""

    def __post_init__(self) -> None:
        if (self.part == "tenants") != (self.number is not None):
            raise ValueError("tenants slices have a number, others have none")
        if self.number is not None and not 0 <= self.number <= 99:
            raise ValueError(f"a slice's number is 0 to 99, not {self.number}")

    @classmethod
    def parse(cls, stack: str) -> Slice:
        """The slice that a stack's name means; raises ValueError for a name that cannot be one."""
        match = _STACK.fullmatch(stack)
        if match is None:
            raise ValueError(
                f'"{stack}" is not a stack\'s name: ENVIRONMENT.REGION, ENVIRONMENT.REGION.platform '
                "or ENVIRONMENT.REGION.tenants-NN"
            )
        environment, region, number = match["environment"], match["region"], match["number"]
        if number is not None:
            return cls(environment, region, "tenants", int(number))
        return cls(environment, region, "platform" if match["platform"] else "region")

    @property
    def stack_name(self) -> str:
        """Such as staging.aws-usw2, staging.aws-usw2.platform, staging.aws-usw2.tenants-00."""
        own = {"region": "", "platform": ".platform", "tenants": f".tenants-{self.number or 0:02d}"}
        return f"{self.environment}.{self.region}{own[self.part]}"

    @property
    def upstream(self) -> tuple[Slice, ...]:
        """The slices whose outputs this one reads: they must be up before it."""
        region = Slice(self.environment, self.region)
        match self.part:
            case "region":
                return ()
            case "platform":
                return (region,)
            case "tenants":
                return (region, Slice(self.environment, self.region, "platform"))

    def __str__(self) -> str:
        return self.stack_name


def waves(slices: Iterable[Slice]) -> tuple[tuple[Slice, ...], ...]:
    """The slices in groups: all of a group can run at once, after the groups before it. Tear down in reverse.

    An upstream slice that is not among `slices` is taken to be up already.
    """
    todo = list(dict.fromkeys(slices))
    groups: list[tuple[Slice, ...]] = []
    while todo:
        group = tuple(one for one in todo if not set(one.upstream) & set(todo))
        groups.append(group)
        todo = [one for one in todo if one not in group]
    return tuple(groups)
