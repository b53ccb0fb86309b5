from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolchain import cache

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cache.Entry:
    monkeypatch.setenv("MERIDIAN_CACHE_DIR", str(tmp_path / "cache"))
    return cache.Entry("tool", "1.0.0", "abc", ("bin/tool",))


def fill(target: Path, text: str = "#!/bin/sh\n") -> None:
    (target / "bin").mkdir()
    (target / "bin/tool").write_text(text)
    (target / "bin/tool").chmod(0o755)


def test_an_entry_is_made_once(entry: cache.Entry):
    entry.make(fill, print)
    entry.make(lambda target: pytest.fail("made twice"), print)
    assert entry.complete()


def test_a_build_that_fails_leaves_nothing(entry: cache.Entry):
    def fail(target: Path) -> None:
        fill(target)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        entry.make(fail, print)
    assert not entry.complete()
    assert [path.name for path in cache.folder().iterdir()] == [f"{entry.path.name}.lock"]


@pytest.mark.parametrize("harm", ["truncate", "remove", "mode", "mark", "garbage"])
def test_a_broken_entry_is_made_again(entry: cache.Entry, harm: str):
    entry.make(fill, print)
    program = entry.path / "bin/tool"
    match harm:
        case "truncate":
            program.write_text("")
        case "remove":
            program.unlink()
        case "mode":
            program.chmod(0o644)
        case "mark":
            (entry.path / cache.MARK).unlink()
        case "garbage":
            (entry.path / cache.MARK).write_text('["bin/tool"]')
    assert not entry.complete()
    entry.make(fill, print)
    assert entry.complete()


WORKER = """
import sys, time
from pathlib import Path
from toolchain import cache

def build(target):
    with open(sys.argv[1], "a") as file:
        file.write("built\\n")
    time.sleep(float(sys.argv[2]))
    (target / "bin").mkdir()
    (target / "bin/tool").write_text("x")
    (target / "bin/tool").chmod(0o755)

cache.Entry("tool", "1.0.0", "abc", ("bin/tool",)).make(build, print)
"""


def start(tmp_path: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(tmp_path / "builds"), str(seconds)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def test_two_set_ups_at_once_build_once_and_the_second_says_it_waits(entry: cache.Entry, tmp_path: Path):
    first, second = start(tmp_path, 2.5), start(tmp_path, 2.5)
    printed = first.communicate()[0] + second.communicate()[0]
    assert first.returncode == second.returncode == 0
    assert (tmp_path / "builds").read_text() == "built\n"
    assert "tool: another set-up is making it, waiting" in printed
    assert entry.complete()


def test_a_set_up_that_was_killed_does_not_stop_the_next(entry: cache.Entry, tmp_path: Path):
    victim = start(tmp_path, 60)
    while not (tmp_path / "builds").exists():
        time.sleep(0.05)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert not entry.complete()
    entry.make(fill, print)
    assert entry.complete()
    assert not list(cache.folder().glob(".tool*"))


def test_without_a_writable_home_the_cache_is_in_the_project(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MERIDIAN_CACHE_DIR", raising=False)
    monkeypatch.setattr(cache.platformdirs, "user_cache_dir", lambda name: f"/proc/nowhere/{name}")
    assert cache.folder() == PROJECT / ".meridian" / "cache" / "toolchain"


def test_the_digest_depends_on_every_part_and_on_where_parts_end(tmp_path: Path):
    file = tmp_path / "go.sum"
    file.write_text("a")
    before = cache.digest([file, "x"])
    assert before == cache.digest([file, "x"])
    file.write_text("b")
    assert before != cache.digest([file, "x"])
    assert cache.digest(["ab", "c"]) != cache.digest(["a", "bc"])
