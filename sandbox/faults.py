"""How an injected fault strikes a call of the engine: delay it, fail it, fail it after it has worked, or kill."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn, Protocol

import grpc
import psutil

from sandbox.world import Fault


class FaultSource(Protocol):
    """Where faults come from; `sandbox.world.World` is one."""

    def take_fault(self, op: str, urn: str) -> Fault | None:
        """The fault that strikes this call, if any; it counts as used."""
        ...


@contextmanager
def struck(source: FaultSource, op: str, urn: str, context: grpc.ServicerContext) -> Generator[None]:
    """Run a call under the fault that the source holds for it, if any."""
    fault = source.take_fault(op, urn)
    if not fault:
        yield
        return
    if fault.after:
        yield
    if fault.hang_seconds:
        time.sleep(fault.hang_seconds)
    if fault.kill:
        kill_caller(context)
    if fault.message:
        fail(context, fault.message)
    if not fault.after:
        yield


def fail(context: grpc.ServicerContext, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> NoReturn:
    """End the call with an error. `abort` always raises."""
    context.abort(code, message)
    raise AssertionError("abort raises")


def kill_caller(context: grpc.ServicerContext) -> None:
    """Kill the process at the other end of this call's connection, as a crash of the machine would."""
    pid = caller_pid(context.peer())
    if pid and pid != os.getpid():
        os.kill(pid, signal.SIGKILL)
        time.sleep(1)  # The answer must not outrun the death.


def caller_pid(peer: str) -> int | None:
    """The process that owns a peer's port ("ipv4:127.0.0.1:41000", as gRPC writes it); None when it is not ours.

    Processes are asked one by one: a list of all connections is the administrator's privilege on some systems.
    """
    number = peer.rsplit(":", 1)[-1]
    if not number.isdigit():
        return None
    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        for connection in connections:
            own = bool(connection.laddr) and connection.laddr.port == int(number)
            if own and connection.status != psutil.CONN_LISTEN:
                return process.pid
    return None
