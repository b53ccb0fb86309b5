"""Whose pods stay when nodes run short: the platform's priority classes, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Priority:
    """A PriorityClass. Higher values are scheduled first and may push lower ones off their nodes."""

    name: str
    value: int
    """At most 1,000,000,000: what is above belongs to Kubernetes itself."""
    preempts: bool
    description: str


PRIORITIES: Sequence[Priority] = (
    Priority(
        name="platform-critical",
        value=1_000_000,
        preempts=True,
        description="What everything else in the cluster needs: gateways, policy, secrets. Not for tenants.",
    ),
    Priority(
        name="serving",
        value=100_000,
        preempts=True,
        description="Answers people are waiting for. Pushes batch work off its nodes when these run short.",
    ),
    Priority(
        name="batch",
        value=1_000,
        preempts=False,
        description="Training and jobs that can start again. Takes what is free and pushes nobody off.",
    ),
)
"""There is no global default: pods that name no class have priority 0, below all of these."""

RESERVED_PRIORITIES = ("platform-critical", "system-cluster-critical", "system-node-critical")
"""Classes that tenants may not use; the last two are Kubernetes' own."""
