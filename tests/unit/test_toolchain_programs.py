"""Which of several candidates is taken. The candidates are shell scripts that print a version."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain import cache, engine_source, golang, kubernetes_source, programs
from toolchain.running import StepFailed

Put = Callable[..., Path]


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing on PATH but what a script needs, and an empty cache."""
    monkeypatch.setenv("MERIDIAN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    for variable in kubernetes_source.ASSETS:
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "path").mkdir()


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Puts a program that prints `text` into a folder (`path` is the one on PATH)."""

    def write(name: str, text: str, folder: str = "path") -> Path:
        program = tmp_path / folder / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{text}'\n")
        program.chmod(0o755)
        return program

    return write


def put_control_plane(put: Put, version: str = "v1.35.2", folder: str = "path") -> None:
    put("etcd", "etcd Version: 3.6.5", folder)
    put("kube-apiserver", f"Kubernetes {version}", folder)
    put("kube-controller-manager", f"Kubernetes {version}", folder)


def fill(entry: cache.Entry) -> None:
    def build(target: Path) -> None:
        for program in entry.programs:
            (target / program).parent.mkdir(exist_ok=True)
            (target / program).write_text("#!/bin/sh\necho v3.259.0\n")
            (target / program).chmod(0o755)

    entry.make(build, print)


def found() -> programs.Programs:
    result = programs.find()
    assert isinstance(result, programs.Programs), str(result)
    return result


def test_nothing_there_names_everything_and_the_command_to_run():
    result = programs.find()
    assert isinstance(result, programs.Missing)
    assert "pulumi (3.250.0 or newer)" in str(result)
    assert "etcd, kube-apiserver, kube-controller-manager (Kubernetes 1.35.4)" in str(result)
    assert "make setup" in str(result)


def test_an_official_installation_on_path_is_used_as_it_is(put: Put):
    put_control_plane(put)
    put("pulumi-language-python", "")
    pulumi = put("pulumi", "v3.300.1")
    result = found()
    assert (result.pulumi, result.pulumi_version, result.pulumi_origin) == (pulumi, "3.300.1", "PATH")
    assert result.language_host_dir is None
    assert (result.kubernetes_version, result.kubernetes_origin) == ("1.35.2", "PATH")


def test_an_engine_without_a_host_gets_ours(put: Put):
    put_control_plane(put)
    put("pulumi", "v3.300.1")
    result = found()
    assert result.language_host_dir is not None
    assert result.pulumi == result.language_host_dir / "pulumi"
    assert os.access(result.language_host_dir / "pulumi-language-python", os.X_OK)
    assert subprocess.run([result.pulumi], capture_output=True, text=True, check=True).stdout == "v3.300.1\n"


def test_an_engine_behind_a_symbolic_link_gets_ours_too(put: Put, tmp_path: Path):
    put_control_plane(put)
    put("pulumi-3.300.1", "v3.300.1")
    (tmp_path / "path/pulumi").symlink_to("pulumi-3.300.1")
    assert subprocess.run([found().pulumi], capture_output=True, text=True, check=True).stdout == "v3.300.1\n"


def test_an_engine_that_is_too_old_is_refused_by_its_version(put: Put):
    put_control_plane(put)
    pulumi = put("pulumi", "v3.249.9")
    result = programs.find()
    assert isinstance(result, programs.Missing)
    assert result.remarks == (f"{pulumi} is pulumi 3.249.9, older than 3.250.0",)


def test_a_later_engine_on_path_is_found_behind_an_old_one(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put_control_plane(put)
    put("pulumi", "v3.100.0")
    newer = put("pulumi", "v3.251.0", "second")
    put("pulumi-language-python", "", "second")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:{tmp_path / 'second'}")
    assert found().pulumi == newer


def test_path_comes_before_the_installer_and_that_before_the_build(put: Put):
    put_control_plane(put)
    fill(engine_source.built())
    assert found().pulumi_origin == "built from Go modules"
    fill(engine_source.installed())
    assert found().pulumi_origin == "installer"
    assert found().language_host_dir is None
    put("pulumi", "v3.300.0")
    assert found().pulumi_origin == "PATH"


def test_our_own_folder_on_path_is_not_taken_for_the_machines_engine(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    put_control_plane(put)
    fill(engine_source.built())
    first = found()
    monkeypatch.setenv("PATH", f"{first.language_host_dir}:{tmp_path / 'path'}")
    assert found() == first


@pytest.mark.parametrize("variable", kubernetes_source.ASSETS)
def test_a_folder_of_programs_can_be_named(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str):
    put("pulumi", "v3.300.0")
    put_control_plane(put, "v1.35.0")
    put_control_plane(put, "v1.35.9", "assets")
    monkeypatch.setenv(variable, str(tmp_path / "assets"))
    result = found()
    assert result.kube_apiserver == tmp_path / "assets/kube-apiserver"
    assert (result.kubernetes_version, result.kubernetes_origin) == ("1.35.9", variable)


def test_another_kubernetes_is_refused_by_its_version(put: Put):
    put("pulumi", "v3.300.0")
    put_control_plane(put, "v1.34.9")
    result = programs.find()
    assert isinstance(result, programs.Missing)
    assert any("kube-apiserver is 1.34.9, not 1.35" in remark for remark in result.remarks)


def test_a_folder_without_a_controller_manager_is_named(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put("etcd", "etcd Version: 3.6.5", "assets")
    put("kube-apiserver", "Kubernetes v1.35.4", "assets")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    assert f"KUBEBUILDER_ASSETS={tmp_path}/assets holds no kube-controller-manager" in str(programs.find())


def test_the_installer_is_asked_before_anything_is_built(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def install(command: list[str], *, limit: float, **_: object) -> None:
        asked.append("installer")
        assert limit == engine_source.INSTALLER_LIMIT
        raise StepFailed("no way out of here")

    def build(recipe: golang.Recipe, target: Path, log: Path, progress: object) -> None:
        asked.append(recipe.title)
        (target / recipe.output).write_text("#!/bin/sh\necho v3.259.0\n")
        (target / recipe.output).chmod(0o755)

    monkeypatch.setattr(engine_source, "run", install)
    monkeypatch.setattr(golang, "build", build)
    result = programs.ensure(print)
    assert asked == ["installer", "pulumi 3.259.0", "Kubernetes 1.35.4 and etcd"]
    assert result.pulumi_origin == result.kubernetes_origin == "built from Go modules"
    assert result.kube_apiserver.resolve() == result.etcd.resolve()
    assert programs.ensure(lambda line: pytest.fail(f"not silent: {line}")) == result


def test_a_build_that_fails_is_one_error_for_the_user(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise StepFailed("pulumi 3.259.0 ended with exit code 1; its output is in /some/log:\n    why")

    monkeypatch.setattr(engine_source, "run", fail)
    monkeypatch.setattr(golang, "build", fail)
    with pytest.raises(programs.ToolchainError, match="its output is in /some/log"):
        programs.ensure(print)
