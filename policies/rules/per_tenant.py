"""Rules that hold for each tenant's namespace by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .kubernetes import Clusters, Namespace, clusters
from .model import Finding, Severity, Stack, StackRule
from .settings import Settings

Check = Callable[[Namespace, Clusters, Settings], Iterator[Finding]]


def per_tenant(name: str, check: Check, *, why: str, source: str, fix: str, severity: Severity) -> StackRule:
    """A rule that runs `check` for every namespace of a tenant that the stack declares."""

    def over_all(stack: Stack, settings: Settings) -> Iterator[Finding]:
        found = clusters(stack, settings)
        for space in found.tenants():
            yield from check(space, found, settings)

    return StackRule(name=name, why=why, source=source, fix=fix, severity=severity, check=over_all)
