"""Binds the rules to the engine: for each level one resource policy and one stack policy, each holding many rules.

The SDK decodes every resource once for each of its policies, so sixty policies cost fifty times what one holding sixty
rules costs. And the two policies of a level share what they see: in a first preview, where a cluster does not exist
yet, the engine shows stack policies the objects inside it without any properties, while resource policies see all
inputs. So the resource policy keeps each resource's inputs by URN, and the stack rules judge those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from . import RESOURCE_RULES, STACK_RULES
from .model import Level, Resource, ResourceRule, Stack, StackRule
from .settings import Settings
from .values import UNKNOWN

_SEEN_BY_STACK_RULES = ("kubernetes:",)
"""Packages whose inputs stack rules read; of others nothing is kept."""


def plain(value: Any) -> Any:
    """Properties as the SDK hands them over, as plain data: what raises when touched in a preview becomes UNKNOWN."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {key: _at(value, key) for key in value}
    if isinstance(value, Sequence):
        return [_at(value, index) for index in range(len(value))]
    return value  # assets and archives


def _at(container: Any, key: Any) -> Any:
    try:
        value = container[key]
    except UnknownValueError:
        return UNKNOWN
    return plain(value)


class Inputs:
    """Inputs of the resources of one run, by URN. The pack's process lives as long as one preview or update."""

    def __init__(self) -> None:
        self._by_urn: dict[str, Mapping[str, Any]] = {}

    def keep(self, resource: Resource) -> None:
        """Remember what the program declares for a resource."""
        if resource.type.startswith(_SEEN_BY_STACK_RULES):
            self._by_urn[resource.urn] = resource.props

    def of(self, shown: PolicyResource) -> Mapping[str, Any]:
        """What was declared for a resource, else what the engine shows of it (as `pulumi policy analyze` does)."""
        declared = self._by_urn.get(shown.urn)
        if declared is not None:
            return declared
        return plain(shown.props) if shown.resource_type.startswith(_SEEN_BY_STACK_RULES) else {}


def _provider(shown: ResourceValidationArgs | PolicyResource) -> str:
    return shown.provider.urn if shown.provider else ""


class _Level:
    """The two policies of one enforcement level."""

    def __init__(
        self, level: Level, resource_rules: Iterable[ResourceRule], stack_rules: Iterable[StackRule], inputs: Inputs
    ) -> None:
        self._level = level
        self._resource_rules = [rule for rule in resource_rules if rule.level is level]
        self._stack_rules = [rule for rule in stack_rules if rule.level is level]
        self._inputs = inputs
        self._of_type: dict[tuple[str, Settings], list[ResourceRule]] = {}

    def _rules_for(self, type_: str, settings: Settings) -> list[ResourceRule]:
        rules = self._of_type.get((type_, settings))
        if rules is None:
            rules = [rule for rule in self._resource_rules if rule.applies(type_, settings)]
            self._of_type[type_, settings] = rules
        return rules

    def resource(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        settings = Settings.of(args.get_config())
        rules = self._rules_for(args.resource_type, settings)
        if not rules and not args.resource_type.startswith(_SEEN_BY_STACK_RULES):
            return
        resource = Resource(
            urn=args.urn,
            type=args.resource_type,
            name=args.name,
            props=plain(args.props),
            provider=_provider(args),
        )
        self._inputs.keep(resource)
        for rule in rules:
            for finding in rule.judge(resource, settings):
                report(rule.say(finding), args.urn)

    def stack(self, args: StackValidationArgs, report: ReportViolation) -> None:
        settings = Settings.of(args.get_config())
        stack = Stack(
            tuple(
                Resource(
                    urn=shown.urn,
                    type=shown.resource_type,
                    name=shown.name,
                    props=self._inputs.of(shown),
                    provider=_provider(shown),
                    depends_on={
                        name: tuple(resource.urn for resource in resources)
                        for name, resources in shown.property_dependencies.items()
                    },
                )
                for shown in args.resources
            )
        )
        for rule in self._stack_rules:
            for finding in rule.judge(stack, settings):
                report(rule.say(finding), finding.resource.urn)

    def policies(self) -> list[Policy]:
        level, schema = EnforcementLevel(self._level.value), PolicyConfigSchema(properties=Settings.schema())
        return [
            ResourceValidationPolicy(
                f"resources-{self._level}",
                f"Rules about single resources ({self._level}).",
                self.resource,
                level,
                schema,
            ),
            StackValidationPolicy(
                f"stack-{self._level}", f"Rules about the whole stack ({self._level}).", self.stack, level, schema
            ),
        ]


def policies(
    resource_rules: Sequence[ResourceRule] = RESOURCE_RULES, stack_rules: Sequence[StackRule] = STACK_RULES
) -> list[Policy]:
    """What the pack serves: a resource and a stack policy for each level that any rule has."""
    inputs = Inputs()
    levels = {rule.level for rule in (*resource_rules, *stack_rules)}
    return [
        policy
        for level in Level
        if level in levels
        for policy in _Level(level, resource_rules, stack_rules, inputs).policies()
    ]
