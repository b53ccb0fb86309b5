"""The guardian passes signals on, ends the engine with its driver, and cleans up after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import automation

GUARDIAN = Path(automation.__file__).with_name("guardian.py")

# Writes a line for each SIGINT; ends after the number of them that it is told.
ENGINE = """
import pathlib, signal, sys, time
log, patience = pathlib.Path(sys.argv[1]), int(sys.argv[2])
seen = 0
def note(*_):
    global seen
    seen += 1
    with log.open("a") as file: file.write("INT\\n")
signal.signal(signal.SIGINT, note)
with log.open("a") as file: file.write("started\\n")
deadline = time.monotonic() + 30
while seen < patience and time.monotonic() < deadline: time.sleep(0.02)
time.sleep(float(sys.argv[3]))
sys.exit(7)
"""

# Starts a child that would live on, then waits to be killed.
PARENT = """
import subprocess, sys, time, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(60)
"""


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def guarded(driver: int, *command: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(GUARDIAN), str(driver), sys.executable, "-c", *command]


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def test_the_exit_code_is_the_engines(tmp_path: Path) -> None:
    assert subprocess.run(guarded(os.getpid(), ENGINE, str(tmp_path / "log"), "0", "0"), check=False).returncode == 7


def test_a_signal_reaches_the_engine_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with subprocess.Popen(guarded(os.getpid(), ENGINE, str(log), "1", "0.3")) as guardian:
        assert eventually(lambda: lines(log) == ["started"])
        guardian.send_signal(signal.SIGINT)
        assert guardian.wait(10) == 7
    assert lines(log) == ["started", "INT"]


def test_a_killed_engine_leaves_no_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    with subprocess.Popen(guarded(os.getpid(), PARENT, str(note))) as guardian:
        assert eventually(lambda: note.exists() and bool(note.read_text()))
        child = int(note.read_text())
        guardian.send_signal(signal.SIGQUIT)
        assert guardian.wait(10) == 128 + signal.SIGKILL
    assert eventually(lambda: not psutil.pid_exists(child))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to the guardian")
def test_a_dead_driver_means_exactly_one_interrupt(tmp_path: Path) -> None:
    log = tmp_path / "log"
    # A driver with a second thread: the kernel would tell a child of each thread's end.
    code = (
        "import subprocess, sys, os, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "guardian, *engine = sys.argv[1:]\n"
        "command = [sys.executable, '-I', '-S', guardian, str(os.getpid()), sys.executable, '-c', *engine]\n"
        "subprocess.Popen(command, start_new_session=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(GUARDIAN), ENGINE, str(log), "1", "1.0"]) as driver:
        assert eventually(lambda: lines(log) == ["started"])
        engine = next(
            process for process in psutil.Process(driver.pid).children(recursive=True) if str(log) in process.cmdline()
        )
        driver.kill()
    assert eventually(lambda: "INT" in lines(log))
    assert eventually(lambda: not engine.is_running())
    assert lines(log) == ["started", "INT"]


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(GUARDIAN), str(os.getpid()), str(tmp_path / "nothing")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 127
    assert "nothing: No such file or directory" in result.stderr
