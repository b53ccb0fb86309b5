"""What is recorded about stacks, read without starting the engine where the state is a file on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from automation.engine import Engine
from automation.project import NAME

WORLD_TAG = "meridian:world"
"""The stack tag that says which world a state describes."""

PROGRAM_TAG = "meridian:program"
"""The stack tag with the digest of the program that was applied last."""

_STACK = "pulumi:pulumi:Stack"
_PROVIDERS = "pulumi:providers:"


@dataclass(frozen=True)
class State:
    """One stack's state. Secrets in it are encrypted."""

    stack: str
    deployment: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Every entry: the stack itself, components, providers, resources, also those that wait to be deleted."""
        return list(self.deployment.get("resources") or ())

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Operations that were under way when the engine was killed."""
        return list(self.deployment.get("pending_operations") or ())

    @property
    def salt(self) -> str:
        """What the stack's passphrase is checked against; empty with other secrets providers."""
        provider = self.deployment.get("secrets_providers") or {}
        return str((provider.get("state") or {}).get("salt", ""))

    @property
    def outputs(self) -> dict[str, Any]:
        """What the stack exports."""
        root = next((one for one in self.resources if one.get("type") == _STACK), {})
        return dict(root.get("outputs") or {})

    @property
    def count(self) -> int:
        """How many resources of clouds and clusters there are: no components, no providers."""
        return sum(1 for one in self.resources if one.get("custom") and not str(one["type"]).startswith(_PROVIDERS))


@dataclass(frozen=True)
class Lock:
    """Who works on a stack, as the backend has it."""

    pid: int
    user: str
    host: str
    since: str


class States(Protocol):
    """Where states are looked up. Every answer is fresh."""

    def names(self) -> tuple[str, ...]:
        """The stacks that exist."""
        ...

    def read(self, stack: str) -> State:
        """The state of a stack that exists."""
        ...

    def locks(self, stack: str) -> list[Lock]:
        """Who holds the stack, as far as it can be told beforehand."""
        ...

    def mend(self, stack: str) -> None:
        """Make readable again what an engine was writing when it was killed."""
        ...


@dataclass(frozen=True)
class FileStates:
    """The sandbox's backend: files, whose layout is that of the engine's file backend."""

    backend: Path

    @property
    def _folder(self) -> Path:
        return self.backend / ".pulumi" / "stacks" / NAME

    def names(self) -> tuple[str, ...]:
        """See States."""
        return tuple(sorted(path.name.removesuffix(".json") for path in self._folder.glob("*.json")))

    def read(self, stack: str) -> State:
        """See States."""
        document = json.loads((self._folder / f"{stack}.json").read_text(encoding="utf-8"))
        try:
            tags = json.loads((self._folder / f"{stack}.pulumi-tags").read_text(encoding="utf-8")).get("tags") or {}
        except FileNotFoundError:
            tags = {}
        return State(stack, document.get("checkpoint", {}).get("latest") or {}, tags)

    def locks(self, stack: str) -> list[Lock]:
        """See States."""
        return list(_locks(self._locks_of(stack)))

    def mend(self, stack: str) -> None:
        """See States. Each file appears by a rename, complete; but before that the library below the engine's file
        backend writes a second file of attributes in place, and reads nothing while that one is cut short."""
        for folder, pattern in ((self._folder, f"{stack}.*"), (self._locks_of(stack), "*")):
            for path in folder.glob(f"{pattern}.attrs"):
                if not _is_json(path):
                    path.unlink(missing_ok=True)

    def _locks_of(self, stack: str) -> Path:
        return self.backend / ".pulumi" / "locks" / "organization" / NAME / stack


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True


def _locks(folder: Path) -> Iterator[Lock]:
    for path in folder.glob("*.json"):
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            continue  # just being removed or written
        yield Lock(int(held["pid"]), str(held["username"]), str(held["hostname"]), str(held["timestamp"]))


@dataclass(frozen=True)
class EngineStates:
    """Any other backend: asked through the engine, a second or so a stack."""

    engine: Engine

    def names(self) -> tuple[str, ...]:
        """See States."""
        return self.engine.stacks()

    def read(self, stack: str) -> State:
        """See States."""
        return State(stack, self.engine.export(stack).get("deployment") or {}, self.engine.tags(stack))

    def locks(self, stack: str) -> list[Lock]:
        """Not to be seen through the engine before an operation fails because of it."""
        return []

    def mend(self, stack: str) -> None:
        """An object store shows no half-written object."""
