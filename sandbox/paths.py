"""Where the sandbox keeps things: every file lies under one home directory."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Home:
    """The layout of a sandbox home. Directories are readable by their owner only: tokens and keys lie inside."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Home:
        """The home at `root`, as an absolute path: children run in other directories."""
        return cls(Path(root).expanduser().absolute())

    @property
    def world(self) -> Path:
        """The SQLite file of the simulated clouds."""
        return self.root / "world.sqlite"

    @property
    def ports(self) -> Path:
        """The ports that were given out, by purpose."""
        return self.root / "ports.json"

    @property
    def log(self) -> Path:
        """What every process says."""
        return self.root / "log"

    @property
    def daemon_log(self) -> Path:
        """What the daemon says."""
        return self.log / "daemon.log"

    @property
    def etcd(self) -> Path:
        """Data and certificates of the one etcd."""
        return self.root / "etcd"

    @property
    def clusters(self) -> Path:
        """One directory for each cluster."""
        return self.root / "clusters"

    @property
    def run(self) -> Path:
        """What holds only while a daemon runs: its state, the records of its children, locks."""
        return self.root / "run"

    @property
    def state(self) -> Path:
        """What the daemon tells about itself."""
        return self.run / "daemon.json"

    @property
    def processes(self) -> Path:
        """The records of the daemon's children."""
        return self.run / "processes"

    @property
    def daemon_lock(self) -> Path:
        """Held by the daemon as long as it runs."""
        return self.run / "daemon.lock"

    @property
    def start_lock(self) -> Path:
        """Held while somebody starts the daemon."""
        return self.run / "start.lock"

    @property
    def backend(self) -> Path:
        """Pulumi's file backend: the stacks' states."""
        return self.root / "backend"

    @property
    def pulumi_home(self) -> Path:
        """The engine's own files (PULUMI_HOME)."""
        return self.root / "pulumi-home"

    @property
    def passphrase(self) -> Path:
        """The passphrase of the sandbox's stacks."""
        return self.root / "passphrase"

    def prepare(self) -> None:
        """Make the directories that everything else expects to exist."""
        for directory in (
            self.root, self.log, self.etcd, self.clusters, self.run, self.processes,
            self.backend, self.pulumi_home,
        ):  # fmt: skip
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The engine writes a verbose log of every operation into this folder, with no switch against it: about a tenth
        # of an operation's time. A file of that name is what makes it give up. `pulumi -v` still logs when asked to.
        engine_log = self.pulumi_home / "logs"
        if not engine_log.exists():
            engine_log.touch(mode=0o600)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, completely or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees either the old or the new text."""
    write_private(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def read_json(path: Path) -> Any | None:
    """The file's value; None where there is no such file or it is no JSON (a crashed machine may truncate it)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
