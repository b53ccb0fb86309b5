"""Finds etcd and Kubernetes' control plane, or builds them from Go modules as one program with three names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache, golang, versions
from toolchain.running import Progress
from toolchain.versions import Version

VERSION = "1.35.4"
"""What is built. Found programs must be of the same minor version."""

COMMANDS = ("etcd", "kube-apiserver", "kube-controller-manager")
ASSETS = ("MERIDIAN_KUBEBUILDER_ASSETS", "KUBEBUILDER_ASSETS")
"""Environment variables that name a folder with the programs, ours first. PATH comes last."""

_WANTED = Version(*map(int, VERSION.split(".")))
_OLDEST_ETCD = Version(3, 5)  # Kubernetes 1.35 needs the v3.5 API or newer

RECIPE = golang.Recipe(
    title=f"Kubernetes {VERSION} and etcd",
    folder=Path(__file__).with_name("kubernetes"),
    package=".",
    output="control-plane",
    tags="providerless",
    stamps={
        f"{package}.{name}": value
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for name, value in {
            "gitVersion": f"v{VERSION}",
            "gitMajor": str(_WANTED.major),
            "gitMinor": str(_WANTED.minor),
            "gitTreeState": "clean",
        }.items()
    },
    packages=2500,
)


@dataclass(frozen=True)
class ControlPlane:
    """The three programs, which belong together."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    version: str
    origin: str


def find() -> tuple[ControlPlane | None, list[str]]:
    """The programs, and remarks on candidates that won't do."""
    remarks: list[str] = []
    for folder, origin in _folders():
        found = {command: shutil.which(command, path=folder) for command in COMMANDS}
        if lacking := [command for command, path in found.items() if path is None]:
            if origin != "PATH":
                remarks.append(f"{origin}={folder} holds no {', '.join(lacking)}")
            continue
        paths = {command: Path(str(path)) for command, path in found.items()}
        if unfit := [text for command, path in paths.items() if (text := _unfit(command, path))]:
            remarks += unfit
            continue
        version = versions.ask(paths["kube-apiserver"], "--version")
        return ControlPlane(*(paths[command] for command in COMMANDS), str(version), origin), remarks
    if (entry := built()).complete():
        links = [entry.path / command for command in COMMANDS]
        return ControlPlane(*links, VERSION, "built from Go modules"), remarks
    return None, remarks


def _folders() -> Iterator[tuple[str, str]]:
    for variable in ASSETS:
        if folder := os.environ.get(variable):
            yield folder, variable
    yield os.environ.get("PATH", os.defpath), "PATH"


def _unfit(command: str, path: Path) -> str | None:
    version = versions.ask(path, "--version")
    if version is None:
        return f"{path} does not tell its version"
    if command == "etcd":
        return f"{path} is {version}, older than {_OLDEST_ETCD}" if version < _OLDEST_ETCD else None
    return f"{path} is {version}, not {_WANTED.major}.{_WANTED.minor}" if version[:2] != _WANTED[:2] else None


def built() -> cache.Entry:
    """The entry that the build fills."""
    return cache.Entry("kubernetes", VERSION, RECIPE.digest, (RECIPE.output, *COMMANDS))


def get(progress: Progress) -> None:
    """Builds the programs. Raises StepFailed."""
    entry = built()

    def build(target: Path) -> None:
        golang.build(RECIPE, target, entry.log, progress)
        for command in COMMANDS:
            (target / command).symlink_to(RECIPE.output)

    entry.make(build, progress)
