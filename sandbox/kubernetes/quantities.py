"""Quantities ("500m", "1Gi"), which the API server may spell otherwise than a program: "1000m" comes back as "1".

The notation is Kubernetes' own (API reference, "Quantity").
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_QUANTITY = re.compile(r"([+-]?[0-9.]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?")
_SUFFIXES = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(1000)}
_SUFFIXES |= {letter: Decimal(1000) ** power for power, letter in enumerate("MGTPE", start=2)}
_SUFFIXES |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)}

# Fields of Kubernetes' own kinds whose entries are quantities: quotas, limit ranges, containers, volumes.
_FIELDS = frozenset(
    {"capacity", "default", "defaultRequest", "hard", "limits", "max", "maxLimitRequestRatio", "min", "overhead",
     "podFixed", "requests"}
)  # fmt: skip


def holds_quantities(api_version: str) -> bool:
    """Whether a kind is one of Kubernetes' own: in others, a field called "limits" may mean anything."""
    group = api_version.split("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def same_quantity(path: tuple[str | int, ...], one: Any, other: Any) -> bool:
    """Whether two values at this path are one quantity spelt in two ways."""
    parent = next((part for part in reversed(path[:-1]) if isinstance(part, str)), "")
    if parent not in _FIELDS:
        return False
    first, second = _value(one), _value(other)
    return first is not None and first == second


def _value(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if not match or match[1].count(".") > 1 or not match[1].strip("+-."):
        return None
    suffix = match[2] or ""
    if len(suffix) > 1 and suffix[0] in "eE" and suffix[1] != "i":
        return Decimal(match[1] + suffix)
    return Decimal(match[1]) * _SUFFIXES.get(suffix, Decimal(1))
