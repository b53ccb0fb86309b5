"""Property paths such as `vpcConfig.subnetIds[]`, over plain JSON-like values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MISSING: Any = object()
"""Stands for "there is nothing at this path", which None cannot."""


def get(value: Any, path: str) -> Any:
    """The value at a path without `[]`, or MISSING. A number steps into a list: `identities.0.issuer`."""
    for step in path.split(".") if path else ():
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def every(value: Any, path: str) -> Iterator[Any]:
    """All values at a path; `[]` goes through the items of a list or map. Missing steps yield nothing."""
    step, _, rest = path.partition(".")
    through = step.endswith("[]")
    name = step.removesuffix("[]")
    if not isinstance(value, dict) or name not in value:
        return
    found = value[name]
    items = (found.values() if isinstance(found, dict) else found) if through else [found]
    if through and not isinstance(found, (list, dict)):
        return
    for item in items:
        if rest:
            yield from every(item, rest)
        else:
            yield item


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a dotted path, making objects on the way."""
    *parents, last = path.split(".")
    for step in parents:
        target = target.setdefault(step, {})
    target[last] = value


def generic(path: str) -> str:
    """A path as data names it: `rules[2].port` -> `rules[].port`."""
    out, depth = [], 0
    for char in path:
        if char == "[":
            depth += 1
            out.append("[]")
        elif char == "]":
            depth -= 1
        elif not depth:
            out.append(char)
    return "".join(out)
