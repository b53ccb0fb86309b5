"""Physical names of resources that the program does not name, by the rules of the real providers.

Bridged providers (aws, gcp): `<name>-<7 hex>`; a name that would be too long is an error, not cut (pulumi/pulumi
sdk/go/common/resource NewUniqueName; pulumi-terraform-bridge pkg/tfbridge/names.go). azure-native: `<name><8 hex>`, the
plain name for children, a UUID for role assignments (pulumi-azure-native provider.go, getDefaultName).
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.clouds.behaviour import Autoname

_Mode = pb.CheckRequest.AutonamingOptions


class NameTooLong(Exception):
    """The logical name leaves no room for the random part."""


def generate(
    rule: Autoname, logical: str, seed: bytes, wish: pb.CheckRequest.AutonamingOptions | None
) -> tuple[str, bool] | None:
    """The name and whether it has a random part; None where the project's settings turn auto-naming off."""
    if wish is not None:
        if wish.mode == _Mode.DISABLE:
            return None
        if wish.mode == _Mode.ENFORCE or rule.style != "uuid":
            return wish.proposed_name, True
    random = hashlib.sha256(seed or os.urandom(16)).hexdigest()
    match rule.style:
        case "copy":
            return logical, False
        case "uuid":
            return str(uuid.UUID(random[:32])), True
    stem = logical.lower() if rule.lower else logical
    name = f"{stem}{rule.separator}{random[: rule.random]}"
    if rule.max and len(name) > rule.max:
        raise NameTooLong(
            f"name '{stem}{rule.separator}' plus {rule.random} random chars is longer than maximum length {rule.max}"
        )
    return (name if name.startswith(rule.prefix) else rule.prefix + name), True


def reusable(rule: Autoname, olds: Mapping[str, Any], *, bridged: bool) -> Any:
    """The name from the resource's last arguments, if it was a generated one; else None.

    The bridge records generated properties in `__defaults`; azure-native keeps whatever name there was.
    """
    old = olds.get(rule.property)
    if old is None or not bridged:
        return old
    defaults = olds.get("__defaults")
    return old if not isinstance(defaults, list) or rule.property in defaults else None
