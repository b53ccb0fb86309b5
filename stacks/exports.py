"""Typed outputs to stack outputs and back: how slices read each other.

Each field of a dataclass is one stack output, `<prefix>_<field>`, so that a secret stays one secret and does not hide
the rest. A slice that is not there yet is unknown in a preview and an error in an update.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import pulumi
from pulumi import Output, StackReference
from pulumi.runtime import invoke_async, is_dry_run

from stacks.errors import ConfigError, ConfigErrors
from stacks.slices import Slice

FORMAT = 1
"""Number of the layout of all stack outputs. To be raised when a name or a type in components/outputs.py changes."""

_FORMAT_KEY = "format"
T = TypeVar("T")


def encode(**parts: object) -> dict[str, Any]:
    """Stack outputs of the given dataclasses, each under its keyword as prefix, with the number of the format."""
    exported: dict[str, Any] = {_FORMAT_KEY: FORMAT}
    for prefix, part in parts.items():
        for name, value in _fields_of(part).items():
            exported[f"{prefix}_{name}"] = plain(value)
    return exported


@dataclass(frozen=True)
class Upstream:
    """What another slice has exported; made by `read`."""

    slice: Slice
    reference: StackReference | None
    """None in the preview of a slice that builds on one which is not up yet."""
    names: frozenset[str] = frozenset()
    """The outputs that there are."""

    def decode(self, kind: type[T], prefix: str) -> T:
        """The dataclass that `encode(prefix=…)` was given. Every field of it must be an Output.

        In a preview, what is missing is unknown. In an update, raises `ConfigErrors` naming the stack to run first.
        """
        values: dict[str, Any] = {}
        for name, hint in get_type_hints(kind).items():
            if get_origin(hint) is not Output:
                raise TypeError(f"{kind.__name__}.{name} must be an Output to cross from one stack to another")
            (inner,) = get_args(hint)
            key = f"{prefix}_{name}"
            if self.reference is not None and key in self.names:
                values[name] = self.reference.get_output(key).apply(_typed(inner))
            elif is_dry_run():
                values[name] = _unknown()
            else:
                raise ConfigErrors([_first(self.slice, f'has no output "{key}" yet')])
        return kind(**values)


async def read(upstream: Slice) -> Upstream:
    """What the slice has exported, from the same backend.

    Raises `ConfigErrors`, before anything of this stack is registered: in an update when the slice is not up, always
    when it was brought up by a program whose outputs have another format.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{upstream.stack_name}"
    outputs = await _outputs(stack)
    if not outputs:
        if is_dry_run():
            return Upstream(upstream, None)
        raise ConfigErrors([_first(upstream, "is not up yet")])
    found = plain(outputs.get(_FORMAT_KEY))
    if found != FORMAT:
        newer = isinstance(found, int) and found > FORMAT
        remedy = "use a newer version of the program" if newer else f"run `meridian up {upstream}` first"
        which = "no format" if found is None else f"format {found}"
        problem = f"outputs of stack {upstream} have {which}, this program reads format {FORMAT}: {remedy}"
        raise ConfigErrors([ConfigError(problem=problem)])
    # The same values once more, through a resource: it records in this stack's state what it builds on, and knows
    # which outputs are secret. A reference to a stack that is not there could not be taken back: hence the look before.
    reference = StackReference(upstream.stack_name, stack_name=stack)
    return Upstream(upstream, reference, frozenset(name for name, value in outputs.items() if value is not None))


async def _outputs(stack: str) -> Mapping[str, Any]:
    """The outputs of a stack; empty when there is no such stack or it is not up."""
    try:
        result = await invoke_async("pulumi:pulumi:readStackOutputs", {"name": stack})
    except Exception as error:
        # The SDK raises bare Exceptions; the engine's own words are all there is to tell them apart.
        if "unknown stack" in str(error):
            return {}
        raise
    return cast(Mapping[str, Any], (result or {}).get("outputs") or {})


def plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings as what the engine stores, also inside Outputs.

    Whole numbers come back from the engine as floats; here they are whole numbers again.
    """
    if isinstance(value, Output):
        return value.apply(plain)
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(item) for name, item in _fields_of(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _first(upstream: Slice, problem: str) -> ConfigError:
    return ConfigError(problem=f"stack {upstream} {problem}: run `meridian up {upstream}` first")


def _unknown() -> Output[Any]:
    """What a resource's output is in a preview before the resource exists."""

    def future(value: Any) -> asyncio.Future[Any]:
        one: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        one.set_result(value)
        return one

    return Output(set(), future(None), future(False))


def _fields_of(part: object) -> dict[str, Any]:
    if not is_dataclass(part):
        raise TypeError(f"{type(part).__name__} is not a dataclass")
    return {field.name: getattr(part, field.name) for field in fields(part)}


def _typed(hint: Any) -> Any:
    """A function that makes a value of type `hint` from what the engine gives back."""

    def make(value: Any) -> Any:
        return _of_type(hint, value)

    return make


def _of_type(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{name: _of_type(hints[name], value[name]) for name in hints})
    if origin is tuple:
        return tuple(_of_type(arguments[0], item) for item in value)
    if origin in (list, Sequence):
        return [_of_type(arguments[0], item) for item in value]
    if origin in (dict, Mapping):
        return {key: _of_type(arguments[1], item) for key, item in value.items()}
    return int(value) if hint is int else value
