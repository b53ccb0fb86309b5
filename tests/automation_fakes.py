"""An engine that does nothing but what a test tells it, and a session around it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from automation.engine import Engine, Operation, Outcome, Running
from automation.events import Record, Step
from automation.interrupts import Interrupts
from automation.progress import Progress
from automation.project import Project
from automation.session import Session
from automation.states import FileStates
from automation.worlds import Setting, World
from sandbox.paths import Home

Answer = Callable[[Operation, str, Record], bool]


def creates(number: int) -> Answer:
    """Something to create; nothing once it has been applied."""
    applied: set[str] = set()

    def answer(operation: Operation, stack: str, record: Record) -> bool:
        record.changes = {"same": number} if stack in applied else {"create": number}
        if operation is Operation.UP:
            applied.add(stack)
        return True

    return answer


def unchanged(operation: Operation, stack: str, record: Record) -> bool:
    """Nothing to do."""
    record.changes = {"same": 3}
    return True


@dataclass
class FakeEngine:
    """Records what it is asked; `answers` says by stack what happens, `default` for all others."""

    backend: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    default: Answer = unchanged
    asked: list[tuple[str, str]] = field(default_factory=list)
    locked: dict[str, str] = field(default_factory=dict)
    """What the engine prints about a stack that it finds locked."""

    def operate(self, operation: Operation, stack: str, record: Record, *, judged: bool = True) -> Outcome:
        self.asked.append((operation.value if judged else "look again", stack))
        if stack in self.locked and operation is not Operation.PREVIEW:
            return Outcome(stack, operation, False, record, 0.1, Path("log"), self.locked[stack])
        ok = self.answers.get(stack, self.default)(operation, stack, record)
        return Outcome(stack, operation, ok, record, 0.1, Path("log"), "")

    def init(self, stack: str, secrets_provider: str | None = None) -> None:
        self.asked.append(("init", stack))
        write_state(self.backend, stack, {})

    def tag(self, stack: str, key: str, value: str) -> None:
        self.asked.append(("tag", f"{stack} {key}={value}"))
        path = self.backend / f".pulumi/stacks/meridian/{stack}.pulumi-tags"
        tags = json.loads(path.read_text())["tags"] if path.exists() else {}
        path.write_text(json.dumps({"version": 1, "tags": {**tags, key: value}}))

    def remove(self, stack: str) -> None:
        self.asked.append(("remove", stack))
        (self.backend / f".pulumi/stacks/meridian/{stack}.json").unlink()

    def cancel(self, stack: str) -> None:
        self.asked.append(("cancel", stack))
        self.locked.pop(stack, None)

    def of(self, what: str) -> list[str]:
        """The stacks for which something was asked, in order."""
        return [stack for asked, stack in self.asked if asked == what]


def write_state(backend: Path, stack: str, deployment: dict[str, Any]) -> None:
    folder = backend / ".pulumi/stacks/meridian"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stack}.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": deployment}}))


def a_session(tmp_path: Path, engine: FakeEngine | None = None) -> tuple[Session, FakeEngine, io.StringIO]:
    """A session in a sandbox that never runs, with what it prints."""
    home = Home.at(tmp_path / "home")
    home.prepare()
    engine = engine or FakeEngine(home.backend)
    printed = io.StringIO()
    console = Console(file=printed, width=200)
    progress = Progress(console)
    real: Engine = engine  # ty: ignore[invalid-assignment]  (it offers what sessions use)
    session = Session(
        project=Project(tmp_path),
        setting=Setting(World.SANDBOX, Path("pulumi"), "3.259.0", {}, home.root),
        engine=real,
        states=FileStates(home.backend),
        console=console,
        progress=progress,
        interrupts=Interrupts(Running(), progress.say),
        workers=2,
    )
    return session, engine, printed


def steps(*ops: str) -> Iterable[Step]:
    return [Step(op, f"urn:pulumi:s::meridian::aws:ec2/vpc:Vpc::{op}", "aws:ec2/vpc:Vpc", ("tags",)) for op in ops]
