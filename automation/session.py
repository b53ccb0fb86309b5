"""One run of the command: the world it works in, the engine it drives, the logs it writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from automation import locks, runlog, schedule
from automation.engine import Engine, Operation, Outcome
from automation.errors import MeridianError, UsageError
from automation.events import Record
from automation.interrupts import INTERRUPTED, Interrupts
from automation.progress import Progress
from automation.project import Project, Target
from automation.recovery import Recovery
from automation.schedule import Result
from automation.states import WORLD_TAG, EngineStates, FileStates, States
from automation.worlds import Setting, World
from sandbox.paths import Home
from stacks.slices import Slice

SECRETS_PROVIDER = "MERIDIAN_SECRETS_PROVIDER"
"""Names the secrets provider of stacks that are made in a real world, such as awskms://…; else the engine's own."""


@dataclass
class Session:
    """What every command on stacks works with."""

    project: Project
    setting: Setting
    engine: Engine
    states: States
    console: Console
    progress: Progress
    interrupts: Interrupts
    workers: int
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each stack has been worked on."""

    @property
    def recovery(self) -> Recovery:
        """What makes stacks ready after an interruption."""
        return Recovery(
            self.project, self.engine, self.states, self.setting.world, self.setting.home, self.progress.say
        )

    def ensure_stacks(self, parts: Iterable[Slice]) -> None:
        """Make the stacks that do not exist yet, empty, and stamp them with the world."""
        existing = set(self.states.names())
        missing = [part for part in parts if part.stack_name not in existing]
        if not missing:
            return
        self.progress.say(f"making {len(missing)} empty stack{'' if len(missing) == 1 else 's'}")
        provider = os.environ.get(SECRETS_PROVIDER) if self.setting.world is World.REAL else None

        def make(part: Slice) -> bool:
            self.engine.init(part.stack_name, provider)
            self.engine.tag(part.stack_name, WORLD_TAG, self.setting.world.value)
            return True

        self.each(schedule.independent(missing), make)

    def operate(self, operation: Operation, part: Slice, *, expected: int = 0, judged: bool = True) -> Outcome:
        """Run the engine on a stack, shown as it goes. The caller ends the line with `progress.end`."""
        record, stack = Record(), part.stack_name
        label = {Operation.PREVIEW_DESTROY: "preview"}.get(operation, operation.value)
        self.progress.begin(stack, label, record, expected)
        outcome = self.engine.operate(operation, stack, record, judged=judged)
        if not outcome.ok and (held := locks.from_message(outcome.printed)):
            # Only the sandbox's locks can be seen beforehand (Recovery.prepare).
            locks.clear(self.engine, stack, lambda: held, self.progress.say)
            outcome = self.engine.operate(operation, stack, record, judged=judged)
        self.seconds[stack] = self.seconds.get(stack, 0.0) + outcome.seconds
        return outcome

    def each(self, order: Mapping[Slice, frozenset[Slice]], work: Callable[[Slice], bool]) -> dict[Slice, Result]:
        """Do the work on all slices, in order and in parallel. Raises Interrupted when it was stopped."""
        results = schedule.run(order, work, workers=self.workers, stopped=self.interrupts.stopped)
        if self.interrupts.stopped.is_set():
            raise Interrupted
        return results


class Interrupted(MeridianError):
    """The user, or whoever ended the process, stopped the run."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("stopped; what had begun is finished and recorded. Run the same command again to go on")


@contextmanager
def open_session(
    project: Project,
    setting: Setting,
    target: Target,
    command: str,
    *,
    console: Console,
    workers: int | None,
    exclusive: bool = True,
) -> Generator[Session]:
    """A session, alone on its environment when `exclusive`.

    Raises UsageError when somebody else works on the environment, or the policy pack is not there.
    """
    if not (project.policies / "PulumiPolicy.yaml").is_file():
        raise UsageError(f"there is no policy pack: {project.policies / 'PulumiPolicy.yaml'} is missing")
    folder = runlog.begin(project.logs, f"{command}-{target}")
    engine = Engine(
        root=project.root,
        pulumi=setting.pulumi,
        version=setting.version,
        environment=setting.environment,
        logs=folder,
        policies=project.policies,
    )
    states = FileStates(Home.at(setting.sandbox).backend) if setting.home else EngineStates(engine)
    progress = Progress(console)
    interrupts = Interrupts(engine.running, progress.say)
    session = Session(project, setting, engine, states, console, progress, interrupts, workers or default_workers())
    with _held(project, target, command, alone=exclusive), interrupts, progress:
        yield session


@contextmanager
def _held(project: Project, target: Target, command: str, *, alone: bool) -> Generator[None]:
    if not alone:
        yield
        return
    with runlog.exclusive(project.locks, target.environment, f"meridian {command} {target}"):
        yield


def default_workers() -> int:
    """Stacks at once: each keeps an engine, a program and a policy pack busy, which wait for each other in part."""
    return max(2, (os.cpu_count() or 2) + 1)


def log_file(folder: Path) -> Path:
    """Where the traceback of an unexpected error goes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "errors.log"
