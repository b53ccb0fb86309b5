"""All rules of the pack. To add one: write it beside its kind, list it here, and give it a test that breaks it."""

from __future__ import annotations

from . import openings, rights, tenants
from .keys import NO_LONG_LIVED_KEYS
from .model import Finding, Level, Resource, ResourceRule, Rule, Severity, Stack, StackRule
from .rights import NO_CLUSTER_ADMIN
from .settings import Settings
from .tagging import REQUIRED_LABELS
from .traffic import TENANT_TRAFFIC

RESOURCE_RULES: tuple[ResourceRule, ...] = (REQUIRED_LABELS, NO_LONG_LIVED_KEYS, NO_CLUSTER_ADMIN)
STACK_RULES: tuple[StackRule, ...] = (*tenants.RULES, *openings.RULES, TENANT_TRAFFIC, *rights.RULES)

__all__ = [
    "RESOURCE_RULES",
    "STACK_RULES",
    "Finding",
    "Level",
    "Resource",
    "ResourceRule",
    "Rule",
    "Settings",
    "Severity",
    "Stack",
    "StackRule",
]
