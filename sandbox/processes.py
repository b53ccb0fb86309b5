"""Child processes of the daemon that never outlive it unnoticed.

Three lines of defence: the daemon ends its children when it stops; on Linux the kernel ends them when the daemon
dies (PR_SET_PDEATHSIG); and every child is recorded with pid, start time and command line, so that the next daemon
can find what an earlier one left and end it, and only that. No process is ever chosen by its name.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from sandbox.paths import read_json, write_json

# The kernel's clock of boot may be corrected by a second or two; a pid is not reused with one command line so fast.
START_TOLERANCE_SECONDS = 3.0
# A killed process is gone at once, unless the kernel is busy on its behalf.
_KILL_SECONDS = 10.0
# A log that has grown beyond this is put aside at the next start.
_LOG_BYTES = 8 << 20

# Runs between fork and the real program. Doing this in a small program of its own, rather than in a hook between
# fork and exec, is what keeps it safe in a daemon with many threads. The signal number 1 is PR_SET_PDEATHSIG.
_LAUNCHER = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class ProcessRecord:
    """What proves that a process is ours: pid, start time (seconds since 1970) and the whole command line."""

    name: str
    pid: int
    started: float
    command: tuple[str, ...]

    def process(self) -> psutil.Process | None:
        """The running process that this record describes, or None when it is gone or the pid is another's."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > START_TOLERANCE_SECONDS:
                return None
            if not is_alive(process):
                return None
            command = tuple(process.cmdline())
        except psutil.Error:
            return None
        # Before the launcher has become the program, the program's command line is the end of its own.
        return process if command[-len(self.command) :] == self.command else None


def describe(name: str, pid: int, command: Sequence[str]) -> ProcessRecord:
    """The record of a process that runs now. Raises psutil.Error when it has gone already."""
    return ProcessRecord(name, pid, psutil.Process(pid).create_time(), tuple(command))


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still does anything. One that has ended but that nobody has asked about (a zombie) does not;
    where the first process of a container reaps no orphans, such remain for ever."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(processes: Iterable[psutil.Process], *, grace_seconds: float) -> list[psutil.Process]:
    """Ask processes to end, insist after `grace_seconds`, and return those that are still there."""
    alive = list(processes)
    if grace_seconds > 0:
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        alive = _wait(alive, grace_seconds)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return _wait(alive, _KILL_SECONDS)


def _wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until all have ended; those that have not."""
    deadline = time.monotonic() + seconds
    while (processes := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return processes


class ProcessTable:
    """The records of the daemon's children, one file each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _path(self, name: str) -> Path:
        return self._directory / (re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".json")

    def add(self, record: ProcessRecord) -> None:
        """Keep a record."""
        write_json(self._path(record.name), asdict(record))

    def remove(self, name: str) -> None:
        """Forget a record; an unknown name is no error."""
        self._path(name).unlink(missing_ok=True)

    def records(self) -> Iterator[ProcessRecord]:
        """All records, also of processes that have gone."""
        for path in sorted(self._directory.glob("*.json")):
            stored: Any = read_json(path)
            try:
                yield ProcessRecord(
                    str(stored["name"]), int(stored["pid"]), float(stored["started"]), tuple(stored["command"])
                )
            except (TypeError, KeyError, ValueError):
                path.unlink(missing_ok=True)

    def running(self) -> list[tuple[ProcessRecord, psutil.Process]]:
        """The recorded processes that provably still run."""
        return [(record, process) for record in self.records() if (process := record.process())]

    def end_leftovers(self) -> list[str]:
        """End what an earlier daemon left behind; returns the names. Raises RuntimeError when one will not go."""
        found = self.running()
        alive = {process.pid for process in end((process for _, process in found), grace_seconds=0)}
        stuck = [f"{record.name} (pid {record.pid})" for record, process in found if process.pid in alive]
        if stuck:
            raise RuntimeError(f"these processes of an earlier sandbox do not end: {', '.join(stuck)}")
        for record in list(self.records()):
            self.remove(record.name)
        return [record.name for record, _ in found]


class Child:
    """One running child. Made by Launcher.start."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], table: ProcessTable, log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen
        self._table = table

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def stop(self, *, grace_seconds: float = 0) -> None:
        """End it: politely first where a grace is given (seconds), and wait until it is gone."""
        if self._popen.poll() is None:
            if grace_seconds > 0:
                self._popen.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._popen.wait(grace_seconds)
            if self._popen.poll() is None:
                self._popen.kill()
        self._popen.wait()
        self._table.remove(self.name)

    def log_tail(self, lines: int = 8) -> str:
        """The end of what it said, for error messages."""
        return tail(self.log, lines)


def tail(path: Path, lines: int) -> str:
    """The last lines of a text file; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(line[:400] for line in text.splitlines()[-lines:])


class Launcher:
    """Starts children, all from one thread that lives as long as the daemon.

    The kernel sends the parent-death signal when the *thread* that forked ends, not only when the process does.
    """

    def __init__(self, table: ProcessTable) -> None:
        self._table = table
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launcher")
        self._open = threading.Event()
        self._open.set()

    def start(self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> Child:
        """Start a program with its output appended to `log`. Raises OSError or RuntimeError when it cannot."""
        return self._thread.submit(self._start, name, tuple(command), log, environment).result()

    def _start(self, name: str, command: tuple[str, ...], log: Path, environment: Mapping[str, str]) -> Child:
        if not self._open.is_set():
            raise RuntimeError("the sandbox is stopping")
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
        with log.open("ab") as output:
            output.write(f"--- {time.strftime('%Y-%m-%dT%H:%M:%S')} start {name}\n".encode())
            output.flush()
            popen = subprocess.Popen(
                launcher,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=log.parent,
            )
        child = Child(name, popen, self._table, log)
        try:
            self._table.add(describe(name, popen.pid, command))
        except psutil.Error as error:
            child.stop()
            raise RuntimeError(f"{name} ended at once: {child.log_tail()}") from error
        return child

    def close(self) -> None:
        """Start nothing any more. The thread itself must stay until the process ends (see the class)."""
        self._open.clear()
