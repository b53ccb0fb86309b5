from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.processes import gone
from toolchain.running import StepFailed, run


def test_a_silent_step_shows_signs_of_life_and_its_state(tmp_path: Path):
    shown: list[str] = []
    counted: list[str] = []
    run(
        ["sh", "-c", "echo one; echo two; sleep 1"],
        title="building",
        log=tmp_path / "log",
        progress=shown.append,
        state=lambda: f"{len(counted)} lines",
        on_line=counted.append,
        every=0.2,
    )
    assert len(shown) >= 3
    assert shown[-1].startswith("building: 2 lines, ")
    assert (tmp_path / "log").read_text().endswith("one\ntwo\n")


def test_a_failure_names_the_log_and_shows_its_end(tmp_path: Path):
    with pytest.raises(StepFailed, match=r"building ended with exit code 3; its output is in .*log:\n    why"):
        run(["sh", "-c", "echo why; exit 3"], title="building", log=tmp_path / "log", progress=print)


def test_a_step_that_cannot_start_says_so(tmp_path: Path):
    with pytest.raises(StepFailed, match="cannot start /no/such: No such file"):
        run(["/no/such"], title="building", log=tmp_path / "log", progress=print)


def test_a_step_past_its_limit_is_ended_with_all_it_started(tmp_path: Path):
    started = time.monotonic()
    with pytest.raises(StepFailed, match="took longer than 1 s"):
        run(
            ["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"],
            title="asking",
            log=tmp_path / "log",
            progress=print,
            limit=1,
        )
    assert time.monotonic() - started < 10
    assert gone(int((tmp_path / "pid").read_text()))


def test_an_interrupt_ends_the_step(tmp_path: Path):
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(
            ["sh", "-c", f"echo $$ > {tmp_path}/pid; sleep 60"],
            title="t",
            log=tmp_path / "log",
            progress=interrupt,
            every=1,
        )
    assert gone(int((tmp_path / "pid").read_text()))
