"""Versions of programs, read from what they print about themselves."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

_VERSION = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?:\.(\d+))?")
_PATIENCE = 30.0  # seconds; asking a program for its version takes a fraction of one


class Version(NamedTuple):
    """Three numbers, compared in order. What follows them (`-rc.1`, `+build`) is not looked at."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @classmethod
    def find(cls, text: str) -> Version | None:
        """The first version in `text` ("v3.259.0", "Kubernetes v1.35.4", "go1.26rc1"), None without one."""
        match = _VERSION.search(text)
        if match is None:
            return None
        major, minor, patch = match.groups(default="0")
        return cls(int(major), int(minor), int(patch))


def ask(program: Path, *arguments: str) -> Version | None:
    """The version that `program` prints when called with `arguments`; None when it doesn't run or prints none."""
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", "GOTOOLCHAIN": "local"}
    try:
        result = subprocess.run(
            [str(program), *arguments], env=env, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Version.find(result.stdout) if result.returncode == 0 else None
