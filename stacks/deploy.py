"""From a stack's name to its registered resources: what `__main__.py` calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi

from stacks.checks_catalogue import ageing
from stacks.environment import find
from stacks.errors import ConfigErrors
from stacks.model import Environment
from stacks.slices import Slice


def deploy(root: Path, stack: str) -> None:
    """Register the resources of the stack, a slice of an environment described in `root`, and export its outputs.

    Raises `pulumi.RunError` with the whole message when the files or the stack's name are wrong: nothing but the stack
    itself is registered then, and no traceback is shown.
    """
    try:
        environment, part = find(root, stack)
    except ConfigErrors as errors:
        raise pulumi.RunError(str(errors)) from None

    if part.part == "region":
        for warning in ageing([environment.region(part.region)], datetime.now(UTC).date()):
            pulumi.log.warn(warning)

    async def program() -> Mapping[str, Any]:
        try:
            return await outputs_of(environment, part)
        except ConfigErrors as errors:
            raise pulumi.RunError(str(errors)) from None

    pulumi.run(program)


async def outputs_of(environment: Environment, part: Slice) -> dict[str, Any]:
    """Register one slice and return its stack outputs; raises `ConfigErrors` when a slice it reads is not up.

    Imports only what the slice needs: a region slice loads its cloud's SDK and no Kubernetes.
    """
    match part.part:
        case "region":
            from stacks.region import region as register
        case "platform":
            from stacks.platform import platform as register
        case "tenants":
            from stacks.tenants import tenants as register
    place = environment.region(part.region).place
    return {"region": {"name": part.region, **place.model_dump(mode="json")}} | await register(environment, part)
