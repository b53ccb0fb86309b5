"""Where we are: the project's folder, and what a TARGET on the command line means."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from automation.errors import UsageError
from stacks.environment import Environment, environments, load
from stacks.errors import ConfigError, ConfigErrors, near_miss, one_of
from stacks.slices import Slice

NAME = "meridian"
"""The Pulumi project's name, which is part of every stack's full name and of every URN."""

_PROGRAM = ("__main__.py", "Pulumi.yaml", "requirements.lock", "components", "stacks")
_SUFFIXES = frozenset({".py", ".yaml", ".json"})


@dataclass(frozen=True)
class Project:
    """The project's folder and the places in it that belong to the command, not to people."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The project around `start` (default: the working directory), else the one this code lies in.

        Raises UsageError when neither is one.
        """
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents, Path(__file__).resolve().parent.parent):
            if _is_project(folder):
                return cls(folder)
        raise UsageError(
            f"{start} lies in no Meridian project: no Pulumi.yaml with `name: {NAME}` here or in a folder above"
        )

    @property
    def local(self) -> Path:
        """State of this checkout that git ignores."""
        return self.root / ".meridian"

    @property
    def logs(self) -> Path:
        """One folder a run."""
        return self.local / "logs"

    @property
    def locks(self) -> Path:
        """Who works on which environment."""
        return self.local / "locks"

    @property
    def policies(self) -> Path:
        """The policy pack."""
        return self.root / "policies"

    def digest(self) -> str:
        """What the program is: its code, its catalogues and the versions of its libraries; not what people describe."""
        found = hashlib.sha256()
        for name in _PROGRAM:
            path = self.root / name
            files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES) if path.is_dir() else [path]
            for file in files:
                if file.is_file():
                    found.update(f"{file.relative_to(self.root)}\0".encode() + file.read_bytes() + b"\0")
        return found.hexdigest()[:32]

    def stack_file(self, stack: str) -> Path:
        """What the engine writes for a single stack: its encryption salt. Not edited by people, not in git."""
        return self.root / f"Pulumi.{stack}.yaml"


def _is_project(folder: Path) -> bool:
    try:
        document = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return isinstance(document, dict) and document.get("name") == NAME


@dataclass(frozen=True)
class Target:
    """An environment, or one stack of it."""

    environment: str
    stack: str | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """`staging` is an environment, `staging.aws-usw2.platform` a stack of it."""
        environment, dot, _ = text.partition(".")
        return cls(environment, text if dot else None)

    def __str__(self) -> str:
        return self.stack or self.environment

    @property
    def what(self) -> str:
        """For messages."""
        return f"stack {self.stack}" if self.stack else f"environment {self.environment}"

    def load(self, root: Path) -> tuple[Environment, tuple[Slice, ...]]:
        """The environment, read and checked, and the slices that are meant.

        Raises ConfigErrors with every problem at once; the one message is for the user.
        """
        environment = load(root, self.environment)
        return environment, (environment.find(self.stack),) if self.stack else environment.slices()

    def among(self, root: Path, existing: tuple[str, ...]) -> tuple[Slice, ...]:
        """Of the stacks that exist, those that are meant: what can be destroyed, whatever the YAML says today.

        Raises ConfigErrors for a name that means neither an existing stack nor a described one.
        """
        found = tuple(part for name in existing if (part := self._slice(name)))
        if not found and self.stack is None:
            known = environments(root)
            if self.environment not in known:
                problem = f'there is no environment "{self.environment}": no file, and no stack of that name'
                raise ConfigErrors(
                    [ConfigError(problem=problem, accepted=one_of(known), near=near_miss(self.environment, known))]
                )
        if not found and self.stack is not None:
            self.load(root)
        return found

    def _slice(self, name: str) -> Slice | None:
        try:
            part = Slice.parse(name)
        except ValueError:
            return None  # a stack of somebody else in the same backend
        return part if part.environment == self.environment and self.stack in (None, name) else None
