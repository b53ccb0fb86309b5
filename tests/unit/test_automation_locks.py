"""A lock goes only when its holder is provably dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from automation import locks
from automation.errors import MeridianError
from automation.locks import Holder, clear, from_message, judge
from automation.states import Lock

MESSAGE = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or
  file:///b/.pulumi/locks/x/9810d36e.json?no_tmp_dir=true: created by root@vm-1 (pid 27889) at 2026-11-21T11:03:11Z"""


class FakeEngine:
    def __init__(self) -> None:
        self.cancelled: list[str] = []

    def cancel(self, stack: str) -> None:
        self.cancelled.append(stack)


def lock(pid: int, *, host: str = "", since: str = "") -> Lock:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    return Lock(pid, "root", host or socket.gethostname(), since or now)


@pytest.fixture
def gone() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_engines_own_message_names_the_holder() -> None:
    assert from_message(MESSAGE) == [Lock(27889, "root", "vm-1", "2026-11-21T11:03:11Z")]


def test_who_holds_a_lock_is_told_by_the_processes(gone: int) -> None:
    assert judge(lock(gone)) is Holder.DEAD
    assert judge(lock(os.getpid())) is Holder.ALIVE
    assert judge(lock(os.getpid(), host="elsewhere")) is Holder.ELSEWHERE


def test_a_later_process_with_the_same_number_is_not_the_holder() -> None:
    assert judge(lock(os.getpid(), since="2020-01-01T00:00:00.5Z")) is Holder.DEAD


def test_an_engine_whose_meridian_is_gone_is_known_by_its_environment(gone: int) -> None:
    code = "import sys, time; sys.stdout.write('x'); sys.stdout.flush(); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, locks.DRIVER: str(gone)}, stdout=subprocess.PIPE
    ) as engine:
        assert engine.stdout
        engine.stdout.read(1)
        assert judge(lock(engine.pid)) is Holder.LEFT
        engine.kill()


def test_the_lock_of_a_dead_process_is_removed(gone: int) -> None:
    engine, said = FakeEngine(), []
    clear(engine, "staging.aws-usw2", lambda: [lock(gone)], said.append)  # ty: ignore[invalid-argument-type]
    assert engine.cancelled == ["staging.aws-usw2"]
    assert said == ["staging.aws-usw2: removed the lock of an interrupted run"]


@pytest.mark.parametrize("host", ["", "elsewhere"])
def test_a_lock_that_may_be_held_stays_and_the_message_says_what_to_run(host: str) -> None:
    engine = FakeEngine()
    with pytest.raises(MeridianError, match=r"pulumi cancel --yes --stack staging\.aws-usw2"):
        clear(engine, "staging.aws-usw2", lambda: [lock(os.getpid(), host=host)], str)  # ty: ignore[invalid-argument-type]
    assert engine.cancelled == []


def test_an_engine_that_is_still_finishing_is_waited_for(gone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_PATIENCE", 10.0)
    code = "import sys, time; sys.stdout.write('x'); sys.stdout.flush(); time.sleep(0.5)"
    engine, said, began = FakeEngine(), [], time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, locks.DRIVER: str(gone)}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.read(1)
        clear(engine, "s", lambda: [lock(process.pid)], said.append)  # ty: ignore[invalid-argument-type]
    assert engine.cancelled == ["s"]  # this one left its lock
    assert "still finishing" in said[0]
    assert time.monotonic() - began < 5
