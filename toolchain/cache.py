"""Programs that were installed or built once are kept in the user's cache, shared by all clones on the machine.

An entry is a folder `<name>-<version>-<digest of the recipe>`. It appears by one rename when it is complete, so a
set-up that was killed leaves nothing that looks finished; a lock keeps two set-ups from building the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import filelock
import platformdirs

from toolchain.running import EVERY, Progress, elapsed

MARK = "complete.json"
"""In every complete entry: the size of each of its programs, in bytes."""

_PROJECT = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """The cache: MERIDIAN_CACHE_DIR/toolchain, else in the user's cache, else (no writable home) in the project."""
    chosen = os.environ.get("MERIDIAN_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser().resolve() / "toolchain"
    usual = Path(platformdirs.user_cache_dir("meridian"))
    return (usual if writable(usual) else _PROJECT / ".meridian" / "cache") / "toolchain"


def writable(path: Path) -> bool:
    """Whether `path` is a folder that we may write to; made when it is not there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(path, os.W_OK | os.X_OK)


def digest(parts: Iterable[str | Path]) -> str:
    """A short digest of texts and files, and of the kind of machine: another recipe, another entry."""
    hashed = hashlib.sha256(f"{platform.system()} {platform.machine()}".encode())
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode()
        hashed.update(len(data).to_bytes(8) + data)
    return hashed.hexdigest()[:12]


@dataclass(frozen=True)
class Entry:
    """One set of programs in the cache; `programs` are their paths below the entry's folder."""

    name: str
    version: str
    recipe: str
    programs: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The entry's folder, there or not."""
        return folder() / f"{self.name}-{self.version}-{self.recipe}"

    @property
    def log(self) -> Path:
        """Where the output of making this entry goes."""
        return folder() / "log" / f"{self.path.name}.log"

    def complete(self) -> bool:
        """Whether the entry is there as it was made: every program executable and of the recorded size."""
        try:
            sizes = json.loads((self.path / MARK).read_text(encoding="utf-8"))
            return all(
                os.access(self.path / program, os.X_OK) and (self.path / program).stat().st_size == sizes[program]
                for program in self.programs
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def make(self, build: Callable[[Path], None], progress: Progress) -> None:
        """Has `build` fill an empty folder, which then becomes the entry; nothing when the entry is complete.

        Waits when another process is making it. What `build` raises goes to the caller, and leaves no entry.
        """
        folder().mkdir(parents=True, exist_ok=True)
        with _lock(self.path.with_name(f"{self.path.name}.lock"), self.name, progress):
            if self.complete():
                return
            for stale in (self.path, *folder().glob(f".{self.path.name}.*")):
                shutil.rmtree(stale, ignore_errors=True)
            self.log.unlink(missing_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", dir=folder()))
            try:
                build(temporary)
                sizes = {program: (temporary / program).stat().st_size for program in self.programs}
                (temporary / MARK).write_text(json.dumps(sizes), encoding="utf-8")
                temporary.chmod(0o755)
                temporary.rename(self.path)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


class _lock:
    """Holds a file lock; whoever has to wait is told for whom. The system drops it when its holder dies."""

    def __init__(self, path: Path, name: str, progress: Progress) -> None:
        self._lock = filelock.FileLock(path)
        self._name, self._progress = name, progress

    def __enter__(self) -> None:
        started = time.monotonic()
        while True:
            try:
                self._lock.acquire(timeout=EVERY if time.monotonic() > started + 1 else 1)
                return
            except filelock.Timeout:
                self._progress(f"{self._name}: another set-up is making it, waiting: {elapsed(started)}")

    def __exit__(self, *_: object) -> None:
        self._lock.release()
