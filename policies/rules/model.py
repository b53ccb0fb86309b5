"""What rules are made of. Nothing here knows Pulumi's SDK, so rules can be tested and reused without an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from .settings import Settings


class Level(StrEnum):
    """What a violation does: stop the deployment, or only be told."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


class Severity(StrEnum):
    """How much is at stake; for people and reports, it decides nothing."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as the program declares it."""

    urn: str
    type: str
    """The type token, such as aws:s3/bucket:Bucket."""
    name: str
    """The logical name."""
    props: Mapping[str, Any] = field(default_factory=dict)
    """Plain data: dicts, lists, text, numbers, and UNKNOWN where the value is not decided yet."""
    provider: str = ""
    """URN of the provider: the same namespace of two clusters is two namespaces."""
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Property -> URNs of the resources that its value comes from."""

    def __str__(self) -> str:
        return f"{self.type.rpartition(':')[2]} {self.name}"


@dataclass(frozen=True, eq=False)
class Stack:
    """All resources of one stack: what a rule needs that asserts that something is absent."""

    resources: tuple[Resource, ...]

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """Every resource by its URN."""
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def by_type(self) -> Mapping[str, tuple[Resource, ...]]:
        """Every resource by its type token."""
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return {type_: tuple(of_type) for type_, of_type in found.items()}


@dataclass(frozen=True)
class Finding:
    """Something wrong with one resource."""

    resource: Resource
    wrong: str
    fix: str = ""
    """How to mend this one; empty: the rule's own."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What must hold, why, who says so, and how to mend what breaks it."""

    name: str
    why: str
    source: str
    """Where the demand comes from: a benchmark, a vendor's documentation, or a decision of this project."""
    fix: str
    severity: Severity
    level: Level = Level.MANDATORY

    def say(self, finding: Finding) -> str:
        """The message for people: rule, resource, what is wrong, how to mend it."""
        return f"[{self.name}] {finding.resource}: {finding.wrong}; {finding.fix or self.fix}"


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """Judges each resource by itself, as soon as it is declared."""

    applies: Callable[[str, Settings], bool]
    """Whether the rule has anything to say about a type token."""
    check: Callable[[Resource, Settings], Iterable[str]]
    """What is wrong with the resource, a sentence each."""

    def judge(self, resource: Resource, settings: Settings) -> Iterator[Finding]:
        """All findings about one resource."""
        if self.applies(resource.type, settings):
            for wrong in self.check(resource, settings):
                yield Finding(resource, wrong)


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """Judges all resources of a stack together. It sees no other stack: each says what that means for it."""

    check: Callable[[Stack, Settings], Iterable[Finding]]

    def judge(self, stack: Stack, settings: Settings) -> Iterator[Finding]:
        """All findings about one stack."""
        yield from self.check(stack, settings)
