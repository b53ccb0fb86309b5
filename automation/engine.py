"""The genuine engine, driven through Pulumi's Automation API.

Three things differ from the Automation API as it comes. Every engine runs under a guardian (guardian.py), so that
nothing of it outlives us unnoticed. What it prints goes to a log file: a pipe would kill it when we are killed. And no
more calls are made than needed: each one starts the command again.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from pulumi.automation import CommandResult, LocalWorkspace, OnOutput, OutputMap, PulumiCommand, Stack, UpdateSummary
from pulumi.automation.errors import CommandError
from pulumi.automation.errors import create_command_error as command_error
from semver import VersionInfo

from automation.errors import MeridianError
from automation.events import Diagnostic, Record, plain

_GUARDIAN = Path(__file__).with_name("guardian.py")


class Operation(StrEnum):
    """What the engine is asked to do with a stack."""

    PREVIEW = "preview"
    UP = "up"
    PREVIEW_DESTROY = "preview destroy"
    DESTROY = "destroy"


@dataclass(frozen=True)
class Outcome:
    """How an operation on a stack ended."""

    stack: str
    operation: Operation
    ok: bool
    record: Record
    seconds: float
    log: Path
    printed: str = ""
    """What the engine printed, when it failed."""

    @property
    def blocked(self) -> bool:
        """Whether the policy pack is what stopped it."""
        return not self.ok and any(violation.mandatory for violation in self.record.violations)

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to do, or was nothing."""
        return self.ok and self.record.unchanged

    def errors(self) -> list[Diagnostic]:
        """Why it failed: what the engine reported as errors, else what it printed as such before it could report."""
        told = [diagnostic for diagnostic in self.record.diagnostics if diagnostic.severity == "error"]
        if told or self.ok:
            return told
        lines = re.split(r"^error: ", self.printed, flags=re.MULTILINE)[1:]
        return [Diagnostic("error", plain(line)) for line in lines] or [
            Diagnostic("error", f"the engine ended without a reason; its log: {self.log}")
        ]


@dataclass
class Running:
    """The engines that run now, so that a signal can reach them."""

    _processes: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, process: subprocess.Popen[bytes]) -> None:
        """An engine has started."""
        with self._lock:
            self._processes.add(process)

    def remove(self, process: subprocess.Popen[bytes]) -> None:
        """An engine has ended."""
        with self._lock:
            self._processes.discard(process)

    def send(self, number: signal.Signals) -> None:
        """SIGINT: finish what has begun and write the state; SIGQUIT: die."""
        with self._lock:
            for process in self._processes:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)


class _Command(PulumiCommand):
    """`pulumi`, under a guardian, with exactly the environment it is given."""

    def __init__(self, path: Path, version: str, running: Running, log: Path | None, feed: bytes) -> None:
        # The base class would start the command once more, to ask for the version that we know.
        self.command = str(path)
        self.version = VersionInfo.parse(version)
        self._running = running
        self._log = log
        self._feed = feed

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        guarded = [sys.executable, "-I", "-S", str(_GUARDIAN), str(os.getpid()), self.command]
        environment = {**additional_env, "PULUMI_AUTOMATION_API": "true"}
        # Temporary files have no name: states and their secrets are never to be found on the disk.
        with tempfile.TemporaryFile() as fed, self._output() as out, self._errors(out) as err:
            fed.write(self._feed)
            fed.seek(0)
            start = out.seek(0, os.SEEK_END)
            process = subprocess.Popen(
                [*guarded, "--non-interactive", *args],
                cwd=cwd,
                env=environment,
                stdin=fed,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            self._running.add(process)
            try:
                code = process.wait()
            finally:
                self._running.remove(process)
            # In a log both are one text; the Automation API looks for reasons in the second.
            stdout, stderr = "" if self._log else _text(out, start), _text(err, start)
        result = CommandResult(stdout=stdout, stderr=stderr, code=code)
        if code:
            raise command_error(result)
        return result

    def _output(self) -> IO[bytes]:
        return self._log.open("ab+") if self._log else tempfile.TemporaryFile()

    def _errors(self, out: IO[bytes]) -> AbstractContextManager[IO[bytes]]:
        return contextlib.nullcontext(out) if self._log else tempfile.TemporaryFile()


def _text(file: IO[bytes], start: int) -> str:
    file.seek(start)
    return file.read().decode("utf-8", errors="replace")


class _Stack(Stack):
    """A stack by name. The base class would select it in the folder (which is the user's to choose), and after each
    operation start the command three times more, to read outputs and history that nobody asks for here."""

    def __init__(self, name: str, workspace: LocalWorkspace) -> None:
        self.name = name
        self.workspace = workspace

    def outputs(self) -> OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary | None:
        return UpdateSummary("", datetime.datetime.now(datetime.UTC), "", {}, {}, "")


@dataclass(frozen=True)
class Engine:
    """The engine in one project and one world."""

    root: Path
    pulumi: Path
    version: str
    environment: Mapping[str, str]
    """All of it: nothing of our own environment is added."""
    logs: Path
    policies: Path
    parallel: int = 16
    """Resources at once in each stack."""
    running: Running = field(default_factory=Running)

    def operate(self, operation: Operation, stack: str, record: Record, *, judged: bool = True) -> Outcome:
        """Run an operation to its end; whether it worked is in the outcome.

        `judged`: with the policy pack. `record` can be watched meanwhile.
        """
        log = self.logs / f"{stack}.{operation.value.replace(' ', '-')}.log"
        target = _Stack(stack, self._workspace(log))
        packs = [str(self.policies)] if judged else None
        began, printed, ok = time.monotonic(), "", True
        try:
            match operation:
                case Operation.PREVIEW:
                    target.preview(
                        parallel=self.parallel, policy_packs=packs, color="never", diff=False,
                        suppress_outputs=True, suppress_progress=True, on_event=record.feed,
                    )  # fmt: skip
                case Operation.UP:
                    target.up(
                        parallel=self.parallel, policy_packs=packs, color="never",
                        suppress_outputs=True, suppress_progress=True, on_event=record.feed,
                    )  # fmt: skip
                case Operation.PREVIEW_DESTROY:
                    target.preview_destroy(
                        parallel=self.parallel, color="never",
                        suppress_outputs=True, suppress_progress=True, on_event=record.feed,
                    )  # fmt: skip
                case Operation.DESTROY:
                    target.destroy(
                        parallel=self.parallel, color="never",
                        suppress_outputs=True, suppress_progress=True, on_event=record.feed,
                    )  # fmt: skip
        except CommandError as error:
            ok, printed = False, str(error).partition(" stderr: ")[2]
        record.settle()
        return Outcome(stack, operation, ok, record, time.monotonic() - began, log, printed)

    def init(self, stack: str, secrets_provider: str | None = None) -> None:
        """Make an empty stack, without selecting it. Raises MeridianError."""
        provider = [f"--secrets-provider={secrets_provider}"] if secrets_provider else []
        self.call("stack", "init", stack, "--no-select", *provider)

    def remove(self, stack: str) -> None:
        """Forget an empty stack. `Pulumi.<stack>.yaml` is kept: it may be somebody's. Raises MeridianError."""
        self.call("stack", "rm", stack, "--yes", "--preserve-config")

    def stacks(self) -> tuple[str, ...]:
        """The names of this project's stacks in the backend. Raises MeridianError."""
        return tuple(
            sorted(str(one["name"]).rpartition("/")[2] for one in json.loads(self.call("stack", "ls", "--json")))
        )

    def export(self, stack: str) -> dict[str, Any]:
        """The stack's state, secrets encrypted. Raises MeridianError."""
        return json.loads(self.call("stack", "export", "--stack", stack))

    def replace_state(self, stack: str, state: Mapping[str, Any]) -> None:
        """Put an edited export in the place of the stack's state. Raises MeridianError."""
        self.call("stack", "import", "--stack", stack, feed=json.dumps(state).encode())

    def tags(self, stack: str) -> dict[str, str]:
        """The stack's tags; they live in the backend, beside the state. Raises MeridianError."""
        return dict(json.loads(self.call("stack", "tag", "ls", "--json", "--stack", stack)) or {})

    def tag(self, stack: str, key: str, value: str) -> None:
        """Set one of the stack's tags. Raises MeridianError."""
        self.call("stack", "tag", "set", key, value, "--stack", stack)

    def cancel(self, stack: str) -> None:
        """Remove the stack's lock, whoever holds it. Raises MeridianError."""
        self.call("cancel", "--yes", "--stack", stack)

    def call(self, *arguments: str, feed: bytes = b"") -> str:
        """Run one command, with `feed` as its input, and give what it prints. Raises MeridianError."""
        workspace = self._workspace(None, feed)
        try:
            result = workspace.pulumi_command.run(list(arguments), workspace.work_dir, workspace.env_vars)
        except CommandError as error:
            told = re.split(r"error: ", str(error))[-1].strip()
            raise MeridianError(f"`pulumi {' '.join(arguments[:3])}` failed: {plain(told)}") from error
        return result.stdout

    def _workspace(self, log: Path | None, feed: bytes = b"") -> LocalWorkspace:
        return LocalWorkspace(
            work_dir=str(self.root),
            env_vars=dict(self.environment),
            pulumi_command=_Command(self.pulumi, self.version, self.running, log, feed),
        )
