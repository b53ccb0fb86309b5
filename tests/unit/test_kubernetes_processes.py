"""Children are found again by what proves that they are ours, and by nothing else; ports stay the same."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.faults import caller_pid
from sandbox.ports import PortBook, PortTaken, is_free, pick, require_free
from sandbox.processes import Launcher, ProcessTable, describe

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEP) as process:
        yield process
        process.kill()


def test_a_leftover_is_ended_and_forgotten(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    table = ProcessTable(tmp_path)
    table.add(describe("it", sleeper.pid, SLEEP))
    assert [record.name for record, _ in table.running()] == ["it"]
    assert table.end_leftovers() == ["it"]
    assert sleeper.wait(5) == -9
    assert not list(table.records())


def test_what_is_not_provably_ours_is_left_alone(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    table, record = ProcessTable(tmp_path), describe("it", sleeper.pid, SLEEP)
    table.add(replace(record, name="started at another time", started=record.started - 60))
    table.add(replace(record, name="another command", command=(*SLEEP, "x")))
    assert table.end_leftovers() == []
    assert sleeper.poll() is None


def test_a_damaged_record_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"name": 1')
    assert not list(ProcessTable(tmp_path).records())
    assert not list(tmp_path.iterdir())


def test_a_child_runs_with_its_log_and_stops(tmp_path: Path) -> None:
    table = ProcessTable(tmp_path / "a folder")
    (tmp_path / "a folder").mkdir()
    launcher = Launcher(table)
    child = launcher.start("it", SLEEP, log=tmp_path / "log" / "it.log", environment=dict(os.environ))
    assert [record.pid for record, _ in table.running()] == [child.pid]
    assert child.exit_code() is None
    child.stop(grace_seconds=5)
    assert child.exit_code() is not None
    assert not list(table.records())
    assert "start it" in child.log_tail()


def test_a_closed_launcher_starts_nothing(tmp_path: Path) -> None:
    launcher = Launcher(ProcessTable(tmp_path))
    launcher.close()
    with pytest.raises(RuntimeError, match="stopping"):
        launcher.start("it", SLEEP, log=tmp_path / "it.log", environment={})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    parent = f"""
import os, sys
sys.path[:0] = {[str(Path(__file__).parents[2])]!r}
from pathlib import Path
from sandbox.processes import Launcher, ProcessTable
home = Path({str(tmp_path)!r})
child = Launcher(ProcessTable(home)).start("it", {SLEEP!r}, log=home / "it.log", environment=dict(os.environ))
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    (record,) = ProcessTable(tmp_path).records()
    assert record.pid == int(done.stdout)
    for _ in range(100):
        if record.process() is None:
            break
        subprocess.run(["sleep", "0.02"], check=True)
    assert record.process() is None


def test_the_process_behind_a_connection_is_found() -> None:
    connect = "import socket, sys, time; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
    with socket.create_server(("127.0.0.1", 0)) as server:
        with subprocess.Popen([sys.executable, "-c", connect, str(server.getsockname()[1])]) as caller:
            connection, address = server.accept()
            with connection:
                assert caller_pid(f"ipv4:127.0.0.1:{address[1]}") == caller.pid
            caller.kill()
        assert caller_pid(f"ipv4:127.0.0.1:{server.getsockname()[1]}") is None
    assert caller_pid("unix:") is None


def test_ports_are_kept(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json")
    ports = {name: book.get(name) for name in ("aws", "gcp")}
    assert ports["aws"] != ports["gcp"]
    again = PortBook(tmp_path / "ports.json")
    assert {name: again.get(name) for name in ports} == ports


def test_a_taken_port_is_named_with_its_owner_and_the_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", pick()))
        other.listen(1)
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortTaken, match=rf"port {port} \(x\) is taken by pid {os.getpid()} .*: do y"):
            require_free(port, "x", "do y")
