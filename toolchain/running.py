"""Runs a long step with its output in a log file and a sign of life every few seconds. Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

Progress = Callable[[str], None]
"""Shows one line to the person who waits."""

EVERY = 10.0
"""Seconds between two signs of life."""

_SHOWN_ON_FAILURE = 15  # lines
_LONGEST_LINE = 300  # characters


class StepFailed(Exception):
    """A step ended with an error or took too long. The message ends with the last lines of its log."""


def elapsed(since: float) -> str:
    """The time since `since` (of `time.monotonic`) for people: "45 s", "2 min 05 s"."""
    minutes, seconds = divmod(round(time.monotonic() - since), 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def run(
    command: Sequence[str],
    *,
    title: str,
    log: Path,
    progress: Progress,
    state: Callable[[], str] = str,
    on_line: Callable[[str], object] = str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    limit: float | None = None,
    every: float = EVERY,
    inherits: Sequence[int] = (),
) -> None:
    """Runs `command`, appends all it writes to `log`, and shows `title`, `state()` and the time every `every` seconds.

    `on_line` gets each line as it comes, in another thread. After `limit` seconds the command is ended. It inherits
    the file descriptors `inherits`: a lock among them is held until the command too has ended. Raises StepFailed;
    whatever stops us meanwhile (Ctrl-C) stops the command and all that it started.
    """
    started = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    last: deque[str] = deque(maxlen=_SHOWN_ON_FAILURE)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n")
        try:
            process = subprocess.Popen(
                list(command),
                env=dict(env) if env is not None else None,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                pass_fds=inherits,
            )
        except OSError as error:
            raise StepFailed(f"{title}: cannot start {command[0]}: {error.strerror}") from error

        output = cast("IO[str]", process.stdout)

        def read() -> None:
            for line in output:
                file.write(line)
                file.flush()
                last.append(line.rstrip()[:_LONGEST_LINE])
                on_line(line)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            code = _wait(process, started, limit, every, lambda: progress(_sign_of_life(title, state(), started)))
        finally:
            _end(process)
            reader.join(timeout=5)
            output.close()
    if code != 0:
        why = f"took longer than {limit:.0f} s" if code is None else f"ended with exit code {code}"
        raise StepFailed(f"{title} {why}; its output is in {log}:\n" + "\n".join(f"    {line}" for line in last))


def _sign_of_life(title: str, state: str, started: float) -> str:
    return f"{title}: {state}, {elapsed(started)}" if state else f"{title}: {elapsed(started)}"


def _wait(
    process: subprocess.Popen[str], started: float, limit: float | None, every: float, sign: Callable[[], None]
) -> int | None:
    """The exit code, None when the time ran out."""
    while True:
        left = every if limit is None else min(every, started + limit - time.monotonic())
        if left <= 0:
            return None
        try:
            return process.wait(timeout=left)
        except subprocess.TimeoutExpired:
            sign()


def _end(process: subprocess.Popen[str]) -> None:
    """Ends the process and its group, if it still runs."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
