"""Ctrl-C: first finish what has begun, then give up, then die."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType, TracebackType

from automation.engine import Running

INTERRUPTED = 130
"""Exit code of a run that was interrupted, as shells have it."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While it is entered, a signal stops the run instead of the process; for the main thread."""

    def __init__(self, running: Running, tell: Callable[[str], None]) -> None:
        self.stopped = threading.Event()
        self._running = running
        self._tell = tell
        self._times = 0
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Interrupts:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        return self

    @contextmanager
    def suspended(self) -> Generator[None]:
        """While somebody is asked something, Ctrl-C means what it always means."""
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._times += 1
        self.stopped.set()
        # A handler runs between two instructions of the main thread, which may hold the very lock that telling
        # or sending needs: so both happen elsewhere.
        threading.Thread(target=self._stop, args=(self._times,), daemon=True).start()

    def _stop(self, times: int) -> None:
        if times == 1:
            self._tell("stopping: what has begun is being finished and recorded; Ctrl-C again to give up on it")
        elif times == 2:
            self._tell("giving up on what has begun; the next run looks at what came of it")
        self._running.send(signal.SIGINT if times <= 2 else signal.SIGQUIT)
