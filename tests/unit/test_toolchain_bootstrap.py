"""What the set-up decides on machines of different kinds, and that the environment it leaves works."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain import bootstrap
from toolchain.bootstrap import Environment, SetupError
from toolchain.running import StepFailed

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "requirements.lock").write_text("one==1.0\n")
    return Environment(tmp_path)


def finish(environment: Environment) -> None:
    """What a complete environment looks like from outside."""
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    environment.launcher.write_text("")
    bootstrap._write(environment.mark, bootstrap.json.dumps(environment.wanted()))


def test_a_complete_environment_costs_nothing(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    finish(environment)
    monkeypatch.setattr(bootstrap, "run", lambda *_, **__: pytest.fail("something was run"))
    assert bootstrap.main(environment.root) == 0


@pytest.mark.parametrize("change", ["lock", "mark", "launcher", "interpreter", "place"])
def test_an_environment_is_not_complete_after(environment: Environment, change: str):
    finish(environment)
    match change:
        case "lock":
            environment.lock.write_text("one==2.0\n")
        case "mark":
            environment.mark.write_text("{")
        case "launcher":
            environment.launcher.unlink()
        case "interpreter":
            environment.python.unlink()
        case "place":
            environment.mark.write_text(environment.mark.read_text().replace(str(environment.root), "/elsewhere"))
            assert not environment.usable()
    assert not environment.complete()


@pytest.fixture
def steps(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records the big steps of making an environment instead of doing them."""
    done: list[str] = []

    def create(environment: Environment) -> None:
        done.append("create")
        finish(environment)
        environment.mark.unlink()

    monkeypatch.setattr(Environment, "_create", create)
    for name in ("install", "connect", "compile"):
        monkeypatch.setattr(Environment, f"_{name}", lambda self, name=name: done.append(name))
    return done


def test_a_new_environment_is_made_step_by_step(environment: Environment, steps: list[str]):
    assert bootstrap.main(environment.root) == 0
    assert steps == ["create", "install", "connect", "compile"]
    assert environment.complete()


def test_a_half_made_environment_is_completed(
    environment: Environment, steps: list[str], monkeypatch: pytest.MonkeyPatch
):
    finish(environment)
    environment.mark.unlink()
    monkeypatch.setattr(Environment, "usable", lambda self: True)
    assert bootstrap.main(environment.root) == 0
    assert steps == ["install", "connect", "compile"]


def test_what_cannot_be_completed_is_made_anew(
    environment: Environment, steps: list[str], monkeypatch: pytest.MonkeyPatch
):
    def install(_: Environment) -> None:
        steps.append("install")
        if "create" not in steps:
            raise StepFailed("broken metadata")

    monkeypatch.setattr(Environment, "usable", lambda self: True)
    monkeypatch.setattr(Environment, "_install", install)
    assert bootstrap.main(environment.root) == 0
    assert steps == ["install", "create", "install", "connect", "compile"]


def test_a_failure_leaves_no_mark_and_is_one_message(
    environment: Environment,
    steps: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def install(_: Environment) -> None:
        raise StepFailed("packages ended with exit code 1; its output is in /log:\n    no route")

    monkeypatch.setattr(Environment, "_install", install)
    assert bootstrap.main(environment.root) == 1
    assert "its output is in /log" in capsys.readouterr().err
    assert not environment.complete()


Machine = Callable[..., list[str]]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """The ways that a machine with exactly these things offers."""

    def offered(*things: str, root: bool = False) -> list[str]:
        def succeeds(command: list[str]) -> bool:
            return any(thing in " ".join(command) for thing in things)

        monkeypatch.setattr(bootstrap, "_succeeds", succeeds)
        monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}" if name in things else None)
        monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 0 if root else 1000)
        return [name for name, _ in bootstrap._ways(tmp_path, lambda command, title: None)]

    return offered


def test_the_least_intrusive_way_comes_first(ways: Machine):
    apt = "venv, after installing it with apt-get"
    assert ways("import ensurepip", "apt-get", root=True) == ["venv", apt]
    assert ways("-m virtualenv", "-m pip") == ["virtualenv", "venv with the pip of this Python"]
    assert ways("apt-get", root=True) == [apt]
    assert ways("apt-get", "sudo", "sudo -n true") == [apt]
    assert ways("apt-get") == []


def test_without_any_way_the_missing_package_is_named(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bootstrap, "_ways", lambda path, start: iter(()))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(SetupError, match=rf"apt-get install python{version}-venv"):
        environment._create()


def test_a_way_that_fails_is_followed_by_the_next(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    def fail() -> None:
        raise StepFailed("no")

    used: list[str] = []
    monkeypatch.setattr(
        bootstrap, "_ways", lambda path, start: iter([("a", fail), ("b", lambda: used.append("b")), ("c", fail)])
    )
    environment._create()
    assert used == ["b"]


def test_the_command_works_from_anywhere_with_bytecode(environment: Environment, tmp_path: Path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment.path)], check=True)
    (tmp_path / "automation").mkdir()
    (tmp_path / "automation/cli.py").write_text(
        "import sys\ndef main():\n    print(sys.argv[1:], sys.dont_write_bytecode, sys.prefix)\n    return 7\n"
    )
    environment._connect()
    result = subprocess.run(
        [environment.launcher, "up", "a b"],
        cwd="/",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (7, f"['up', 'a b'] False {environment.path}\n"), result.stderr


def test_two_set_ups_of_one_checkout_do_not_meet(environment: Environment, capsys: pytest.CaptureFixture[str]):
    order: list[str] = []
    (environment.root / ".meridian").mkdir()
    with (environment.root / ".meridian/bootstrap.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        def second() -> None:
            with bootstrap.alone(environment.root):
                order.append("second")

        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert "another set-up of this checkout runs, waiting" in capsys.readouterr().out


# --- the shell's part --------------------------------------------------------------------------------------------


def find_python(path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(PROJECT / "toolchain/find-python.sh")],
        env={"PATH": f"{path}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def put_python(folder: Path, name: str, then: str) -> None:
    (folder / name).write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "Python 3.9.2"; exit; fi\n{then}\n')
    (folder / name).chmod(0o755)


def test_the_default_python_is_taken_when_it_fits(tmp_path: Path):
    put_python(tmp_path, "python3", "exit 0")
    assert find_python(tmp_path).stdout.strip() == str(tmp_path / "python3")


def test_one_that_makes_environments_by_itself_is_preferred(tmp_path: Path):
    put_python(tmp_path, "python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    put_python(tmp_path, "python3.13", "exit 0")
    assert find_python(tmp_path).stdout.strip() == str(tmp_path / "python3.13")


def test_without_a_suitable_python_it_says_what_it_saw(tmp_path: Path):
    put_python(tmp_path, "old", "exit 1")
    result = find_python(tmp_path, PYTHON="old")
    assert result.returncode == 1
    assert "need 3.11 or newer" in result.stderr
    assert "old is Python 3.9.2" in result.stderr


def test_make_lists_every_target(tmp_path: Path):
    # `make test` hands its own flags on, and a make below a make says which folder it enters.
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    listed = subprocess.run(["make"], cwd=PROJECT, capture_output=True, text=True, check=True, env=env).stdout
    targets = [line.split()[1] for line in listed.splitlines()]
    phony = [line.split()[1] for line in (PROJECT / "Makefile").read_text().splitlines() if line.startswith(".PHONY")]
    assert targets == phony
    assert {"setup", "up", "down", "test", "check", "clean"} <= set(targets)


def test_the_pipeline_runs_the_test_command_in_the_project(tmp_path: Path):
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "$(pwd) $*"\n')
    make.chmod(0o755)
    result = subprocess.run(
        [PROJECT / ".ci/run"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"{PROJECT} test\n"
