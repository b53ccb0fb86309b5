"""Waiting for processes and for what they do."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until `true()`; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def gone(pid: int, seconds: float = 5) -> bool:
    """Whether the process `pid` has ended, or ends within `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False
