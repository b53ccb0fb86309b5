"""Finds Pulumi's engine, or gets it: on PATH, from the SDK's own installer, from Go modules; in this order."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from toolchain import cache, golang, versions
from toolchain.running import Progress, StepFailed, run
from toolchain.versions import Version

OLDEST = Version(3, 250)
"""Older engines lack features of the protocol that the SDK in requirements.lock uses."""

MODULES_VERSION = "3.259.0"
"""The version that is built from modules: the newest whose archives are on every module mirror we know of."""

LANGUAGE_HOST = "pulumi-language-python"
INSTALLER_LIMIT = 300.0
"""Seconds; where the vendor cannot be reached the installer fails within one."""

RECIPE = golang.Recipe(
    title=f"pulumi {MODULES_VERSION}",
    folder=Path(__file__).with_name("engine"),
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    output="pulumi",
    tags="osusergo,grpcnotrace",
    # Without the stamp the Automation API takes the engine for too old.
    stamps={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{MODULES_VERSION}"},
    packages=1700,
)

_INSTALL = """
import socket, sys
from pulumi.automation import PulumiCommand
socket.setdefaulttimeout(10)
PulumiCommand.install(root=sys.argv[1])
"""


@dataclass(frozen=True)
class Engine:
    """An engine that runs here. `has_host`: an official Python language host comes with it."""

    path: Path
    version: str
    origin: str
    has_host: bool


def find() -> tuple[Engine | None, list[str]]:
    """The engine, and remarks on candidates that won't do."""
    remarks: list[str] = []
    for candidate in _on_path("pulumi"):
        version = versions.ask(candidate, "version")
        if version is None:
            remarks.append(f"{candidate} does not tell its version")
        elif version < OLDEST:
            remarks.append(f"{candidate} is pulumi {version}, older than {OLDEST}")
        else:
            return Engine(candidate, str(version), "PATH", _has_host(candidate)), remarks
    if (entry := installed()).complete():
        return Engine(entry.path / "bin/pulumi", entry.version, "installer", True), remarks
    if (entry := built()).complete():
        return Engine(entry.path / RECIPE.output, entry.version, "built from Go modules", False), remarks
    return None, remarks


def _on_path(name: str) -> Iterator[Path]:
    """Every program `name` on PATH but those of our own making, which a shell of the sandbox puts there."""
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found and not Path(found).absolute().is_relative_to(cache.folder()):
            yield Path(found).absolute()


def _has_host(engine: Path) -> bool:
    """Whether the engine finds an official host: it looks on PATH, then beside its own executable."""
    beside = engine.resolve().with_name(LANGUAGE_HOST)
    return os.access(beside, os.X_OK) or any(_on_path(LANGUAGE_HOST))


def installed() -> cache.Entry:
    """The entry that the SDK's installer fills; it installs the SDK's own version."""
    version = metadata.version("pulumi")
    return cache.Entry("pulumi", version, "official", ("bin/pulumi", f"bin/{LANGUAGE_HOST}"))


def built() -> cache.Entry:
    """The entry that the build from modules fills."""
    return cache.Entry("pulumi", MODULES_VERSION, RECIPE.digest, (RECIPE.output,))


def get(progress: Progress) -> None:
    """Fills one of the two entries. Raises StepFailed."""
    try:
        entry = installed()
        progress(f"pulumi {entry.version}: asking the SDK's installer")
        entry.make(lambda target: _install(target, entry, progress), progress)
    except StepFailed:
        progress(f"pulumi: the installer does not succeed from here ({entry.log} says why)")
    else:
        return
    entry = built()
    entry.make(lambda target: golang.build(RECIPE, target, entry.log, progress), progress)


def _install(target: Path, entry: cache.Entry, progress: Progress) -> None:
    run(
        [sys.executable, "-c", _INSTALL, str(target)],
        title=f"pulumi {entry.version}: downloading",
        log=entry.log,
        progress=progress,
        limit=INSTALLER_LIMIT,
    )
