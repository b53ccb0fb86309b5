"""What a daemon tells the world about itself while it runs: one small file that `sandbox.control` reads."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import psutil

from sandbox.paths import Home, read_json, write_json
from sandbox.processes import ProcessRecord

_log = logging.getLogger(__name__)

STARTING, READY, FAILED, STOPPING = "starting", "ready", "failed", "stopping"


@dataclass(frozen=True, kw_only=True)
class DaemonState:
    """Identity, phase and what has been reported so far. `since` is when the daemon was started (Unix time)."""

    process: ProcessRecord
    phase: str
    since: float
    ports: dict[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()

    def alive(self) -> bool:
        """Whether the daemon that wrote this still runs."""
        return self.process.process() is not None


def read(home: Home) -> DaemonState | None:
    """The state that the last daemon left, whether it still runs or not."""
    stored: Any = read_json(home.state)
    try:
        process = stored["process"]
        return DaemonState(
            process=ProcessRecord(
                process["name"], int(process["pid"]), float(process["started"]), tuple(process["command"])
            ),
            phase=stored["phase"],
            since=float(stored["since"]),
            ports={name: int(port) for name, port in stored["ports"].items()},
            messages=tuple(stored["messages"]),
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


class Reporter:
    """The daemon's side: writes the file at every change."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        process = psutil.Process()
        record = ProcessRecord("daemon", os.getpid(), process.create_time(), tuple(process.cmdline()))
        self._state = DaemonState(process=record, phase=STARTING, since=time.time())
        self._write(self._state)

    def message(self, text: str) -> None:
        """Report progress; it also goes to the daemon's log."""
        _log.info(text)
        with self._lock:
            self._write(replace(self._state, messages=(*self._state.messages, text)))

    def phase(self, phase: str, *, ports: dict[str, int] | None = None) -> None:
        """Say how far it is."""
        with self._lock:
            self._write(replace(self._state, phase=phase, ports=self._state.ports if ports is None else ports))

    def _write(self, state: DaemonState) -> None:
        self._state = state
        write_json(self._home.state, asdict(state))

    def close(self) -> None:
        """The daemon ends properly: nothing is left to tell."""
        self._home.state.unlink(missing_ok=True)
