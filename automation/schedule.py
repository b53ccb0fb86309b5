"""Work on several stacks at once, each after those it builds on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import Enum

from stacks.slices import Slice

_LOOK_UP = 0.5  # seconds after which the main thread attends to signals


class Result(Enum):
    """How the work on a stack ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Never begun: what it builds on did not work, or the run was stopped."""


def forward(parts: Iterable[Slice]) -> dict[Slice, frozenset[Slice]]:
    """Each slice with those of `parts` that must be finished before it: what it builds on."""
    known = frozenset(parts)
    return {part: frozenset(part.upstream) & known for part in known}


def backward(parts: Iterable[Slice]) -> dict[Slice, frozenset[Slice]]:
    """The same for taking down: what builds on it."""
    known = frozenset(parts)
    return {part: frozenset(other for other in known if part in other.upstream) for part in known}


def independent(parts: Iterable[Slice]) -> dict[Slice, frozenset[Slice]]:
    """All at once, as far as there are workers."""
    return dict.fromkeys(parts, frozenset())


def run(
    order: Mapping[Slice, frozenset[Slice]],
    work: Callable[[Slice], bool],
    *,
    workers: int,
    stopped: threading.Event,
) -> dict[Slice, Result]:
    """Do the work on every slice, and give how each ended.

    After a failure what does not depend on it goes on. Once `stopped` is set nothing new begins. An exception in
    `work` is raised here, when everything that runs has ended.
    """
    results: dict[Slice, Result] = {}
    waiting = sorted(order, key=lambda part: (part.part != "region", part.part != "platform", str(part)))
    running: dict[Future[bool], Slice] = {}
    error: BaseException | None = None
    with ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="stack") as pool:
        while waiting or running:
            for part in list(waiting):
                before = order[part]
                if error or stopped.is_set() or any(results.get(one, Result.DONE) is not Result.DONE for one in before):
                    results[part] = Result.SKIPPED
                    waiting.remove(part)
                elif len(running) < workers and all(one in results for one in before):
                    running[pool.submit(work, part)] = part
                    waiting.remove(part)
            done, _ = wait(running, timeout=_LOOK_UP, return_when=FIRST_COMPLETED)
            for future in done:
                part = running.pop(future)
                if future.exception():
                    error = error or future.exception()
                    results[part] = Result.FAILED
                else:
                    results[part] = Result.DONE if future.result() else Result.FAILED
    if error:
        raise error
    return results
