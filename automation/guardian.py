"""Runs one engine so that it neither outlives its driver unnoticed nor leaves anything behind.

    guardian.py DRIVER_PID PROGRAM ARGUMENT...

The driver (`meridian`) has many threads and may be killed at any moment. This small process of one thread stands
between it and the engine:

- The engine is out of reach of the terminal's Ctrl-C: the driver decides. SIGINT or SIGTERM to the guardian becomes one
  SIGINT to the engine, which then finishes what it has begun and writes its state; SIGQUIT kills the engine.
- When the driver is gone, the engine gets exactly one SIGINT. (A second one would make it give up at once, and the
  kernel's own signal for a dead parent comes once for every thread of that parent.)
- What the engine leaves when it is killed (its language host, the program, the policy pack) comes to the guardian,
  which ends it.

The file is started by its path with `python -I -S` and imports nothing but the standard library. Its exit code is the
engine's, or 128 + N when signal N killed the engine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # both from linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_AT_DRIVER = 0.5  # seconds
_GRACE = 1.0  # seconds in which what the engine started may end by itself


def main() -> int:
    """Run the engine to its end."""
    driver, command = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    woken, waker = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if libc:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != driver:
        return 1
    engine = _start(command, libc)
    code = _watch(engine, driver, woken)
    _end_children()
    return code


def _start(command: list[str], libc: ctypes.CDLL | None) -> int:
    """Start the engine and give its pid."""
    guardian = os.getpid()

    def between() -> None:
        # Runs after the fork, before the engine. This process has one thread, so it is safe here.
        if libc:
            libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != guardian:
            os._exit(1)

    try:
        return subprocess.Popen(command, preexec_fn=between).pid
    except OSError as error:
        sys.stderr.write(f"error: {command[0]}: {error.strerror}\n")
        sys.exit(127)


def _watch(engine: int, driver: int, woken: int) -> int:
    """Wait for the engine, passing signals on, and give its exit code."""
    orphaned = False
    while True:
        with contextlib.suppress(InterruptedError):
            select.select([woken], [], [], _LOOK_AT_DRIVER)
        with contextlib.suppress(BlockingIOError):
            for number in os.read(woken, 64):
                if number in (signal.SIGINT, signal.SIGTERM) and not orphaned:
                    _send(engine, signal.SIGINT)
                elif number == signal.SIGQUIT:
                    _send(engine, signal.SIGKILL)
        while (ended := _reap()) is not None:
            if ended[0] == engine:
                return os.waitstatus_to_exitcode(ended[1]) if os.WIFEXITED(ended[1]) else 128 + os.WTERMSIG(ended[1])
        if not orphaned and os.getppid() != driver:
            orphaned = True
            _send(engine, signal.SIGINT)


def _reap() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _end_children() -> None:
    """End what has been handed to us because its parent died; only Linux hands anything to us, and lists it there."""
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    insist = time.monotonic() + _GRACE
    while True:
        while _reap() is not None:
            pass
        try:
            children = [int(pid) for pid in listing.read_text().split()]
        except OSError:
            return
        if not children:
            return
        for pid in children:
            _send(pid, signal.SIGKILL if time.monotonic() > insist else signal.SIGTERM)
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
