"""After an interruption: what a run that was killed has left is brought in order before the next one begins.

In the sandbox everything can be looked up and is repaired here. In real clouds it takes somebody who may look: the
message says what to run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from automation import locks
from automation.adoption import Made, reconcile, stack_of
from automation.engine import Engine
from automation.errors import MeridianError, UsageError
from automation.events import resource_name
from automation.project import Project
from automation.states import State, States
from automation.worlds import World, check_stamp
from sandbox.kubernetes.cluster import ClusterRecord
from sandbox.kubernetes.commands import ClusterFiles
from sandbox.paths import Home
from sandbox.world import World as SimulatedClouds

Tell = Callable[[str], None]

_CLUSTER_PATIENCE = 90.0  # seconds; an API server is ready within a few
_LAST_WRITE = 0.5  # seconds in which a call of an engine that is gone may still write what it made
_GENERATED = frozenset({"encryptionsalt", "encryptedkey", "secretsprovider"})


@dataclass(frozen=True)
class Recovery:
    """Makes stacks ready for an operation."""

    project: Project
    engine: Engine
    states: States
    world: World
    home: Path | None
    tell: Tell

    def look(self, stacks: Iterable[str]) -> dict[str, State]:
        """The states of those of `stacks` that exist; enough for a preview, which writes nothing.

        Raises UsageError for a state of the other world.
        """
        existing = set(self.states.names())
        found: dict[str, State] = {}
        for stack in stacks:
            if stack in existing:
                found[stack] = self.states.read(stack)
                check_stamp(found[stack], self.world)
            self._stack_file(stack, found.get(stack))
        return found

    def prepare(self, stacks: Iterable[str]) -> dict[str, State]:
        """The same, with nothing left of earlier runs. Raises MeridianError, too, when somebody has to look first."""
        found = self.look(stacks)
        for stack, state in found.items():
            self.states.mend(stack)
            if self.states.locks(stack):
                locks.clear(self.engine, stack, partial(self.states.locks, stack), self.tell)
                found[stack] = self.states.read(stack)
            elif state.pending and not self.home:
                raise MeridianError(pending_advice(state))
        return self._settle(found) if self.home else found

    def _stack_file(self, stack: str, state: State | None) -> None:
        """Remove a generated stack file whose salt belongs to another state, whose passphrase the engine would want.

        It writes the file again, from the state. A file that holds more than it generates is somebody's.
        """
        path = self.project.stack_file(stack)
        try:
            settings = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            return
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UsageError(f"{path.name}: cannot be read: {error}") from None
        salt = settings.get("encryptionsalt", "") if isinstance(settings, dict) else ""
        if not salt or (state and salt == state.salt):
            return
        if set(settings) - _GENERATED:
            raise UsageError(
                f"{path.name} belongs to another state of stack {stack} (its encryptionsalt differs), but holds "
                "settings of yours: move them to a safe place and remove the file"
            )
        path.unlink()

    def forget_stack_file(self, stack: str) -> None:
        """Remove the generated file of a stack that is gone, unless it holds somebody's settings."""
        self._stack_file(stack, None)

    def _settle(self, found: dict[str, State]) -> dict[str, State]:
        """Compare states with the simulated clouds, and bring in what was made and not recorded."""
        home = Home.at(self.home or Path())
        if any(state.pending for state in found.values()):
            _wait_for_clusters(home, self.tell)
        made: dict[str, list[Made]] = {stack: [] for stack in found}
        clouds = SimulatedClouds(home.world)
        try:
            for one in clouds.resources():
                if (stack := stack_of(one.urn)) in made:
                    made[stack].append(Made(one.urn, one.key.id, one.key.package, one.inputs, one.outputs))
        finally:
            clouds.close()
        for stack, state in found.items():
            if reconcile(state.deployment, made[stack]):
                found[stack] = self._write(stack, made[stack])
        return found

    def _write(self, stack: str, made: Iterable[Made]) -> State:
        exported = self.engine.export(stack)
        edit = reconcile(exported["deployment"], made)
        self.engine.replace_state(stack, exported | {"deployment": edit.deployment})
        for urns, what in (
            (edit.adopted, "made by an interrupted run, now in the state"),
            (edit.duplicates, "made twice by an interrupted run, one will be deleted"),
            (edit.dropped, "begun by an interrupted run, will be done again"),
        ):
            for urn in urns:
                self.tell(f"{stack}: {resource_name(urn)}: {what}")
        return self.states.read(stack)


def pending_advice(state: State) -> str:
    """What to run in a real world after the engine was killed between making something and recording it."""
    stack = state.stack
    lines = [f"an earlier run of stack {stack} was killed while it worked on:"]
    lines += [f"  {op['type']} {resource_name(op['resource']['urn'])}" for op in state.pending]
    lines.append(
        "Look in the cloud whether each one being created exists: its labels `stack` and `component` tell. If it does:"
    )
    for op in state.pending:
        if op["type"] == "creating":
            lines.append(f"  {_import(stack, op['resource'])}")
    lines.append("Then forget the interrupted operations, and run your command again:")
    lines.append(f"  pulumi refresh --yes --clear-pending-creates --stack {stack}")
    return "\n".join(lines)


def _import(stack: str, resource: dict[str, Any]) -> str:
    name = resource["urn"].split("::", 3)[3]
    provider = str(resource.get("provider", "")).rpartition("::")[0]
    options = [f"--provider 'default={provider}'"] if provider else []
    if resource.get("parent"):
        options.append(f"--parent 'parent={resource['parent']}'")
    return " ".join(
        ["pulumi import --yes --generate-code=false", *options, f"--stack {stack}", resource["type"], name, "ID"]
    )


def _wait_for_clusters(home: Home, tell: Tell) -> None:
    """Creating a cluster goes on in the sandbox when the engine that asked for it is gone."""
    began = told = time.monotonic()
    while any(not record.created for record in _records(home)) and time.monotonic() - began < _CLUSTER_PATIENCE:
        if time.monotonic() - told > 5:
            told = time.monotonic()
            tell(f"waiting for a cluster that the interrupted run has begun ({told - began:.0f} s)")
        time.sleep(0.2)
    time.sleep(_LAST_WRITE)


def _records(home: Home) -> list[ClusterRecord]:
    directories = home.clusters.iterdir() if home.clusters.is_dir() else ()
    return [record for folder in directories if (record := ClusterRecord.load(ClusterFiles(folder)))]
