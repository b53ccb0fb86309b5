"""Runs a piece of the program without an engine and records what it registers, as an engine would see it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.stack import run_pulumi_func


@dataclass(frozen=True)
class Registered:
    """One resource as the engine is asked to make it."""

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    parent: str
    provider: str
    depends_on: tuple[str, ...]
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    retain_on_delete: bool = False
    custom: bool = True
    secrets: frozenset[str] = frozenset()
    """Properties that the engine keeps secret."""

    @property
    def kind(self) -> str:
        return self.type.rsplit(":", 1)[-1]


@dataclass
class _Echo(Mocks):
    """A cloud that accepts everything and gives back what it was asked for, with `computed` outputs by type on top."""

    computed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    invokes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    silent: bool = False

    def call(self, args):
        return dict(self.invokes.get(args.token, {}))

    def new_resource(self, args: MockResourceArgs):
        if self.silent:
            return "", {}
        return f"{args.name}-id", {**args.inputs, **_fill(self.computed.get(args.typ, {}), args.name)}


def _fill(value: Any, name: str) -> Any:
    """The computed outputs with the resource's own name for every "{name}" in them."""
    if isinstance(value, Mapping):
        return {key: _fill(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, name) for item in value]
    return value.replace("{name}", name) if isinstance(value, str) else value


@contextmanager
def _loop_of_thread() -> Generator[None]:
    """The SDK gives each of its worker threads an event loop and never closes it; warnings are errors here."""
    if threading.current_thread() is threading.main_thread():
        yield
        return
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class _Monitor(MockMonitor):
    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.made: list[Registered] = []

    def Invoke(self, request):
        with _loop_of_thread():
            return super().Invoke(request)

    def RegisterResource(self, request):
        with _loop_of_thread():
            response = super().RegisterResource(request)
            props = rpc.deserialize_properties(request.object, keep_unknowns=True)
        self.made.append(
            Registered(
                urn=response.urn,
                type=request.type,
                name=request.name,
                props={key: rpc.unwrap_rpc_secret(value) for key, value in props.items()},
                parent=request.parent,
                provider=request.provider,
                depends_on=tuple(request.dependencies),
                protect=request.protect,
                ignore_changes=tuple(request.ignoreChanges),
                retain_on_delete=request.retainOnDelete,
                custom=request.custom,
                secrets=frozenset(key for key, value in props.items() if rpc.is_rpc_secret(value)),
            )
        )
        return response


def record(
    program: Callable[[], None],
    *,
    computed: Mapping[str, Mapping[str, Any]] | None = None,
    invokes: Mapping[str, Mapping[str, Any]] | None = None,
    preview: bool = False,
    silent: bool = False,
) -> list[Registered]:
    """All resources that `program` registers. `silent`: providers answer nothing, as before their cluster exists."""
    mocks = _Echo(computed or {}, invokes or {}, silent)
    monitor = _Monitor(mocks)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(mocks, project="meridian", stack="test", preview=preview, monitor=monitor)
        loop.run_until_complete(run_pulumi_func(program))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return [made for made in monitor.made if made.type != "pulumi:pulumi:Stack"]
