"""Locks that a killed engine left in the backend: found, judged, and removed when their holder is provably dead."""

from __future__ import annotations

import datetime
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

import psutil

from automation.engine import Engine
from automation.errors import MeridianError
from automation.states import Lock

DRIVER = "MERIDIAN_DRIVER"
"""Environment variable of every engine that we start: the pid of the `meridian` that did."""

_PATIENCE = 45.0  # seconds for the engine of an interrupted run to finish what it had begun
_CLOCK = 5.0  # seconds by which a process's start and a lock's time may disagree
_MESSAGE = re.compile(r"created by (?P<user>\S+?)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")


class Holder(Enum):
    """Who holds a lock."""

    DEAD = "a process of this machine that is gone"
    LEFT = "an engine whose meridian is gone"
    ALIVE = "a running process of this machine"
    ELSEWHERE = "a process of another machine"


def from_message(text: str) -> list[Lock]:
    """The locks that the engine names when it refuses a stack because of them."""
    return [Lock(int(m["pid"]), m["user"], m["host"], m["since"]) for m in _MESSAGE.finditer(text)]


def judge(lock: Lock) -> Holder:
    """Who holds a lock, by the processes that run now."""
    if lock.host != socket.gethostname():
        return Holder.ELSEWHERE
    process = _process(lock)
    if process is None:
        return Holder.DEAD
    try:
        driver = process.environ().get(DRIVER, "")
    except psutil.Error:
        return Holder.ALIVE
    return Holder.LEFT if driver.isdigit() and not psutil.pid_exists(int(driver)) else Holder.ALIVE


def clear(engine: Engine, stack: str, held: Callable[[], Iterable[Lock]], tell: Callable[[str], None]) -> None:
    """Make the stack free again, waiting for the engine of an interrupted run to end; `held` looks up its locks.

    Raises MeridianError with the command to run when the holder may be alive and is not ours to end.
    """
    for lock in held():
        holder = judge(lock)
        if holder is Holder.LEFT:
            _end(lock, stack, tell)
        elif holder is not Holder.DEAD:
            raise MeridianError(
                f"stack {stack} is locked by {lock.user}@{lock.host} (pid {lock.pid}, since {lock.since}), "
                f"{holder.value}. Wait until it has finished; if it is dead, run:\n"
                f"  pulumi cancel --yes --stack {stack}"
            )
    if list(held()):  # an engine that could finish has removed its own
        engine.cancel(stack)
        tell(f"{stack}: removed the lock of an interrupted run")


def _process(lock: Lock) -> psutil.Process | None:
    """The running process that took the lock; a later one with the same number does not count."""
    try:
        process = psutil.Process(lock.pid)
        taken = datetime.datetime.fromisoformat(_seconds(lock.since)).timestamp()
        if process.status() == psutil.STATUS_ZOMBIE or process.create_time() > taken + _CLOCK:
            return None
    except (psutil.Error, ValueError):
        return None
    return process


def _seconds(stamp: str) -> str:
    """Go writes nanoseconds, which Python does not read."""
    return re.sub(r"\.\d+", "", stamp)


def _end(lock: Lock, stack: str, tell: Callable[[str], None]) -> None:
    """Wait for an engine that nobody drives any longer; then ask it to give up, then make it."""
    process = _process(lock)
    for patience, number in _steps():
        if process is None:
            return
        if number:
            os.kill(process.pid, number)
        else:
            tell(f"{stack}: the engine of an interrupted run (pid {lock.pid}) is still finishing; waiting for it")
        deadline = time.monotonic() + patience
        while process is not None and time.monotonic() < deadline:
            time.sleep(0.2)
            process = _process(lock)
    if process is not None:
        raise MeridianError(f"stack {stack}: the engine with pid {lock.pid} does not end; run: kill -9 {lock.pid}")


def _steps() -> Iterator[tuple[float, signal.Signals | None]]:
    yield _PATIENCE, None
    yield 10.0, signal.SIGINT
    yield 5.0, signal.SIGKILL
