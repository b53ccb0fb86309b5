"""Reading properties of which some are not known yet.

In a preview, values that come from resources not made yet are unknown. A rule must neither stop at one nor take it for
missing: what an unknown value hides is decided by `up`, which judges the same resource again with the value in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final


@final
class Unknown:
    """A value that is not decided yet. There is one: `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def dig(value: Any, *path: str) -> Any:
    """The value under nested keys: None where it is missing, UNKNOWN where it or anything above it is unknown."""
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def items(value: Any) -> Sequence[Any] | Unknown:
    """`value` as a list: empty where it is missing or no list, UNKNOWN where it is unknown."""
    if value is UNKNOWN:
        return UNKNOWN
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def mapping(value: Any) -> Mapping[str, Any] | Unknown:
    """`value` as a mapping: empty where it is missing or no mapping, UNKNOWN where it is unknown."""
    if value is UNKNOWN:
        return UNKNOWN
    return value if isinstance(value, Mapping) else {}
