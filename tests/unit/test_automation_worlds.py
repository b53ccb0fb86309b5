"""The two worlds are kept apart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from automation import worlds
from automation.errors import UsageError
from automation.project import Project
from automation.worlds import World, choose, foreign, sandbox_home
from sandbox import control
from toolchain import engine_source
from toolchain.engine_source import Engine
from toolchain.programs import Missing, Programs

PROGRAMS = Programs(
    pulumi=Path("/tools/pulumi"), pulumi_version="3.259.0", pulumi_origin="PATH",
    language_host_dir=Path("/tools/host"), etcd=Path("/k/etcd"), kube_apiserver=Path("/k/a"),
    kube_controller_manager=Path("/k/c"), kubernetes_version="1.35.4", kubernetes_origin="PATH",
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in (*os.environ,):
        if name.startswith(("PULUMI_", "MERIDIAN_")):
            monkeypatch.delenv(name)
    return Project(tmp_path)


def engine(monkeypatch: pytest.MonkeyPatch, *, has_host: bool = True) -> None:
    found = Engine(Path("/usr/bin/pulumi"), "3.260.0", "PATH", has_host)
    monkeypatch.setattr(engine_source, "find", lambda: (found, []))


@pytest.fixture
def running(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    variables = {"PULUMI_BACKEND_URL": "file:///home/backend", "PULUMI_DEBUG_PROVIDERS": "aws:1"}
    monkeypatch.setattr(control, "environment", lambda home: variables)
    monkeypatch.setattr(worlds, "find", lambda: PROGRAMS)
    return project


def test_without_a_sandbox_and_without_a_wish_the_message_names_both_ways(project: Project) -> None:
    with pytest.raises(UsageError, match="`meridian sandbox up`, or name the real clouds with `--world real`"):
        choose(None, project)


def test_the_sandbox_that_was_asked_for_must_run(project: Project) -> None:
    with pytest.raises(UsageError, match=r"not running: start it with `meridian sandbox up`$"):
        choose(World.SANDBOX, project)


def test_a_running_sandbox_is_the_default_and_gets_no_credentials(
    running: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "ARM_CLIENT_SECRET", "GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG",
                 "PULUMI_ACCESS_TOKEN", "PULUMI_OPTION_PARALLEL", "PYTHONDONTWRITEBYTECODE"):  # fmt: skip
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://the-real-one")
    setting = choose(None, running)
    assert setting.world is World.SANDBOX
    assert not list(foreign(setting.environment))
    assert setting.environment["PULUMI_BACKEND_URL"] == "file:///home/backend"
    assert setting.environment["PATH"].startswith("/tools/host:/tools:")
    assert setting.environment["MERIDIAN_DRIVER"] == str(os.getpid())


def test_missing_programs_are_named_with_the_way_to_get_them(running: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Missing(("pulumi (3.250.0 or newer)",), ("/usr/bin/pulumi is pulumi 3.100.0, older than 3.250.0",))
    monkeypatch.setattr(worlds, "find", lambda: old)
    with pytest.raises(UsageError, match=r"make setup(.|\n)*older than 3\.250\.0"):
        choose(None, running)


def test_the_real_world_takes_the_environment_as_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(monkeypatch)
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PULUMI_OPTION_PARALLEL", "4")
    setting = choose(World.REAL, project)
    assert (setting.world, setting.home) == (World.REAL, None)
    assert setting.environment["AWS_PROFILE"] == "production"
    assert "PULUMI_OPTION_PARALLEL" not in setting.environment


def test_the_real_world_refuses_stand_in_providers(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(monkeypatch)
    monkeypatch.setenv("PULUMI_DEBUG_PROVIDERS", "aws:1234")
    with pytest.raises(UsageError, match="unset PULUMI_DEBUG_PROVIDERS"):
        choose(World.REAL, project)


def test_the_real_world_refuses_the_sandboxs_language_host(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(monkeypatch, has_host=False)
    with pytest.raises(UsageError, match="language host"):
        choose(World.REAL, project)


@pytest.mark.parametrize("name", ["PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_the_real_world_refuses_what_lies_in_the_sandbox(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    engine(monkeypatch)
    monkeypatch.setenv(name, f"file://{sandbox_home(project)}/backend")
    with pytest.raises(UsageError, match=f"{name} points into the sandbox"):
        choose(World.REAL, project)


def test_the_sandboxs_home_can_be_named(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert sandbox_home(project) == project.local / "sandbox"
    monkeypatch.setenv("MERIDIAN_SANDBOX_HOME", str(tmp_path / "elsewhere"))
    assert sandbox_home(project) == tmp_path / "elsewhere"
