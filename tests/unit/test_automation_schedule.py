"""Stacks are worked on in order, as many at once as allowed."""

from __future__ import annotations

import threading

import pytest

from automation.schedule import Result, backward, forward, independent, run
from stacks.slices import Slice

A, B = Slice("staging", "aws-usw2"), Slice("staging", "gcp-euw1")
A_PLATFORM, B_PLATFORM = Slice("staging", "aws-usw2", "platform"), Slice("staging", "gcp-euw1", "platform")
A_TENANTS = Slice("staging", "aws-usw2", "tenants", 0)
ALL = (A_TENANTS, A_PLATFORM, B_PLATFORM, A, B)


def go(order: dict[Slice, frozenset[Slice]], failing: frozenset[Slice] = frozenset(), workers: int = 2):
    done: list[Slice] = []

    def work(part: Slice) -> bool:
        done.append(part)
        return part not in failing

    return run(order, work, workers=workers, stopped=threading.Event()), done


def test_each_stack_comes_after_those_it_builds_on() -> None:
    results, done = go(forward(ALL))
    assert set(results.values()) == {Result.DONE}
    assert done.index(A) < done.index(A_PLATFORM) < done.index(A_TENANTS)
    assert done.index(B) < done.index(B_PLATFORM)


def test_taking_down_goes_the_other_way() -> None:
    _, done = go(backward(ALL), workers=1)
    assert done.index(A_TENANTS) < done.index(A_PLATFORM) < done.index(A)


def test_stacks_below_that_are_not_meant_are_taken_to_be_there() -> None:
    results, _ = go(forward([A_TENANTS]))
    assert results == {A_TENANTS: Result.DONE}


def test_after_a_failure_only_what_builds_on_it_is_skipped() -> None:
    results, done = go(forward(ALL), frozenset([A]))
    assert results == {
        A: Result.FAILED,
        A_PLATFORM: Result.SKIPPED,
        A_TENANTS: Result.SKIPPED,
        B: Result.DONE,
        B_PLATFORM: Result.DONE,
    }
    assert A_PLATFORM not in done


def test_no_more_than_the_workers_run_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()
    gate = threading.Barrier(2, timeout=10)

    def work(part: Slice) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if part in (A, B):
            gate.wait()  # passes only when two run at the same time
        with lock:
            running -= 1
        return True

    run(independent(ALL), work, workers=2, stopped=threading.Event())
    assert most == 2


def test_once_stopped_nothing_new_begins() -> None:
    stopped = threading.Event()

    def work(part: Slice) -> bool:
        stopped.set()
        return True

    results = run(forward([A, A_PLATFORM]), work, workers=2, stopped=stopped)
    assert results == {A: Result.DONE, A_PLATFORM: Result.SKIPPED}


def test_an_exception_is_raised_after_what_runs_has_ended() -> None:
    ended = threading.Event()

    def work(part: Slice) -> bool:
        if part == A:
            raise ValueError("broken")
        ended.set()
        return True

    with pytest.raises(ValueError, match="broken"):
        run(independent([A, B]), work, workers=2, stopped=threading.Event())
    assert ended.is_set()
