"""Shows what is happening: live on a terminal, in plain lines anywhere else; never a silent minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from automation.events import Record, resource_name

HEARTBEAT = 15.0
"""Seconds after which a run that prints plain lines says again what it is doing."""


@dataclass
class _Row:
    what: str
    record: Record
    expected: int
    began: float = field(default_factory=time.monotonic)

    def text(self) -> str:
        """Such as: up, 12 of 45, aws:eks/cluster:Cluster staging-aws-usw2 (14 s)."""
        parts = [self.what]
        if self.expected:
            parts.append(f"{min(self.record.done, self.expected)} of {self.expected}")
        elif self.record.same or self.record.steps:
            parts.append(f"{self.record.same + len(self.record.steps)} resources")
        if (longest := self.record.longest()) and self.expected:
            urn, since = longest
            parts.append(f"{resource_name(urn)} ({time.monotonic() - since:.0f} s)")
        return ", ".join(parts)


class Progress:
    """What runs now, and lines about what has ended. Safe to use from several threads."""

    def __init__(self, console: Console, width: int = 30) -> None:
        self._console = console
        self._width = width
        self._rows: dict[str, _Row] = {}
        self._lock = threading.RLock()
        self._spoke = time.monotonic()
        self._ended = threading.Event()
        self._live: Live | None = None
        self._heart: threading.Thread | None = None

    def __enter__(self) -> Progress:
        self._ended.clear()
        if self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._render, refresh_per_second=4, transient=True)
            self._live.start()
        else:
            self._heart = threading.Thread(target=self._beat, daemon=True)
            self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._live:
            self._live.stop()
        if self._heart:
            self._heart.join()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Leave the terminal to a question."""
        if self._live:
            self._live.stop()
        try:
            yield
        finally:
            if self._live:
                self._live.start()

    def begin(self, stack: str, what: str, record: Record, expected: int = 0) -> None:
        """Work on a stack begins; `expected`: how many resources it is going to touch, 0 when unknown."""
        with self._lock:
            self._rows[stack] = _Row(what, record, expected)

    def end(self, stack: str, result: str, style: str = "") -> None:
        """Work on a stack has ended."""
        with self._lock:
            row = self._rows.pop(stack)
        seconds = f"{time.monotonic() - row.began:6.1f} s"
        mark = f"[{style}]{escape(result)}[/{style}]" if style else escape(result)
        self._print(f"  {stack:<{self._width}} {row.what:<8} {seconds}   {mark}")

    def say(self, message: str) -> None:
        """A line of its own."""
        self._print(f"[dim]{escape(message)}[/dim]")

    def _print(self, markup: str) -> None:
        with self._lock:
            self._spoke = time.monotonic()
            self._console.print(markup, highlight=False, soft_wrap=True)

    def _render(self) -> RenderableType:
        with self._lock:
            rows = list(self._rows.items())
        now = time.monotonic()
        return Group(
            *(
                Text.assemble(
                    ("  ", ""),
                    (f"{stack:<{self._width}} ", "bold"),
                    (f"{now - row.began:6.1f} s   ", "cyan"),
                    (row.text(), ""),
                    no_wrap=True,
                    overflow="ellipsis",
                )
                for stack, row in rows
            )
        )

    def _beat(self) -> None:
        while not self._ended.wait(1.0):
            with self._lock:
                rows = list(self._rows.items())
                quiet = time.monotonic() - self._spoke
            if quiet >= HEARTBEAT:
                told = "; ".join(f"{stack}: {row.text()}" for stack, row in rows)
                self.say(f"  ... {told}" if told else "  ...")
