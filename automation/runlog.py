"""One folder of logs a run, and one run at a time for each environment."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from automation.errors import UsageError

KEPT_RUNS = 20
"""Older folders are removed when a new run begins."""


def begin(logs: Path, what: str) -> Path:
    """A new folder for the logs of the run that `what` names ("up-staging")."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = logs / f"{stamp}-{what}-{os.getpid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    runs = sorted(path for path in logs.iterdir() if path.is_dir())
    for old in runs[:-KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


@contextmanager
def exclusive(locks: Path, environment: str, command: str) -> Generator[None]:
    """Hold the environment on this machine. The operating system frees it when this process ends, however it ends.

    Raises UsageError naming who holds it.
    """
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(locks / f"{environment}.lock")
    note = locks / f"{environment}.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"{_holder(note)} is working on {environment}: wait for it, or end it with Ctrl-C") from None
    try:
        note.write_text(
            json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": command, "since": time.time()}),
            encoding="utf-8",
        )
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _holder(note: Path) -> str:
    try:
        held = json.loads(note.read_text(encoding="utf-8"))
        since = time.strftime("%H:%M:%S", time.localtime(held["since"]))
        return f"`{held['command']}` (pid {held['pid']}, since {since})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another meridian"
