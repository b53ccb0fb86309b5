"""What one run of the engine says about itself, collected from its event stream."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation.events import (
    DiagnosticEvent,
    EngineEvent,
    PolicyEvent,
    StepEventMetadata,
    StepEventStateMetadata,
)

_COLOUR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")
_LAST_EVENT = 2.0  # seconds
_STACK = "pulumi:pulumi:Stack"
_QUIET = frozenset({"same", "read", "refresh"})
# What the engine says on every run and nobody can act on.
_NOISE = ("using pulumi-language-python from $PATH",)
# Words about the whole operation, which the exit code says already.
_GENERAL = frozenset({"preview failed", "update failed", "destroy failed", "refresh failed", "update cancelled"})


def plain(text: str) -> str:
    """Without the engine's and the terminal's colours."""
    return _COLOUR.sub("", text).strip()


def resource_name(urn: str) -> str:
    """The resource as people know it: `aws:eks/cluster:Cluster aws-usw2`."""
    parts = urn.split("::")
    if len(parts) < 4:
        return urn
    return f"{parts[2].rpartition('$')[2]} {'::'.join(parts[3:])}"


@dataclass(frozen=True)
class Step:
    """Something that the engine did to a resource, or would do."""

    op: str
    urn: str
    type: str
    keys: tuple[str, ...] = ()
    """Properties whose change made it necessary: of a replacement those that force it, else those that differ."""
    inputs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """As the engine tells them: secrets are blanked."""
    parent: str = ""
    provider: str = ""
    """URN of the provider."""

    @property
    def name(self) -> str:
        """For people."""
        return resource_name(self.urn)


@dataclass(frozen=True)
class Violation:
    """A rule of the policy pack that a resource breaks."""

    policy: str
    message: str
    urn: str
    mandatory: bool

    @property
    def resource(self) -> str:
        """For people; empty when no resource is meant."""
        return resource_name(self.urn) if self.urn else ""


@dataclass(frozen=True)
class Diagnostic:
    """A message of the engine, a provider or the program."""

    severity: str
    message: str
    urn: str = ""

    @property
    def resource(self) -> str:
        """For people; empty when no resource is meant."""
        return resource_name(self.urn) if self.urn and _STACK not in self.urn else ""


@dataclass
class Record:
    """Everything said so far. One thread feeds it; any thread may look at it."""

    steps: list[Step] = field(default_factory=list)
    done: int = 0
    """Resources finished, those without changes not counted."""
    same: int = 0
    running: dict[str, float] = field(default_factory=dict)
    """URNs of what is being worked on, with the time (monotonic) since when."""
    changes: dict[str, int] = field(default_factory=dict)
    """The engine's own summary: operation to number of resources."""
    outputs_changed: bool = False
    options_changed: bool = False
    """Whether a resource that is itself the same is to be protected, retained, parented or provided differently."""
    violations: list[Violation] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _finished: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def feed(self, event: EngineEvent) -> None:
        """Take in one event."""
        with self._lock:
            if event.resource_pre_event:
                self._before(event.resource_pre_event.metadata)
            elif event.res_outputs_event:
                self._after(event.res_outputs_event.metadata)
            elif event.res_op_failed_event:
                self.running.pop(event.res_op_failed_event.metadata.urn, None)
            elif event.policy_event:
                self._policy(event.policy_event)
            elif event.diagnostic_event:
                self._diagnostic(event.diagnostic_event)
            elif event.summary_event:
                self.changes = {
                    str(getattr(op, "value", op)): n for op, n in event.summary_event.resource_changes.items()
                }
            elif event.cancel_event:
                self._finished.set()

    def longest(self) -> tuple[str, float] | None:
        """The resource that has been worked on for the longest time, and since when."""
        with self._lock:
            waited_for = ((urn, since) for urn, since in self.running.items() if not _is_container(urn))
            return min(waited_for, key=lambda item: item[1], default=None)

    def settle(self) -> None:
        """Wait for the last event of an engine that has ended: it comes through another door than its exit code."""
        if self.steps or self.same or self.changes:
            self._finished.wait(_LAST_EVENT)

    @property
    def unchanged(self) -> bool:
        """Whether nothing at all is different. Secret outputs and dependencies cannot be seen in events."""
        return not self.changed and not self.outputs_changed and not self.options_changed

    @property
    def changed(self) -> int:
        """How many resources differ; reading and comparing them is no change."""
        return sum(number for op, number in self.changes.items() if op not in _QUIET)

    def _before(self, step: StepEventMetadata) -> None:
        op = step.op.value
        if op == "same":
            self.same += 1
            self.options_changed = self.options_changed or _options(step.old) != _options(step.new)
        elif op not in _QUIET:
            keys = step.keys if "replace" in op and step.keys else step.diffs
            new = step.new
            self.steps.append(
                Step(
                    op,
                    step.urn,
                    step.type,
                    tuple(keys or ()),
                    inputs=(new.inputs if new else None) or {},
                    parent=new.parent if new else "",
                    provider=(new.provider if new else "").rpartition("::")[0],
                )
            )
            self.running.setdefault(step.urn, time.monotonic())

    def _after(self, step: StepEventMetadata) -> None:
        if step.type == _STACK:
            # Comes several times; the last one has the program's exports. Secrets look alike.
            self.outputs_changed = _outputs(step.old) != _outputs(step.new)
        if self.running.pop(step.urn, None) is not None:
            self.done += 1

    def _policy(self, event: PolicyEvent) -> None:
        # The engine puts the policy's description in front, which is the same for all its rules.
        description, _, message = plain(event.message).partition("\n")
        self.violations.append(
            Violation(
                policy=event.policy_name,
                message=plain(message) or description,
                urn=event.resource_urn or "",
                mandatory=event.enforcement_level == "mandatory",
            )
        )

    def _diagnostic(self, event: DiagnosticEvent) -> None:
        message = plain(event.message)
        if event.ephemeral or event.severity not in ("warning", "error") or not message:
            return
        if message in _GENERAL or any(noise in message for noise in _NOISE):
            return
        found = Diagnostic(event.severity, message, event.urn or "")
        if found not in self.diagnostics:
            self.diagnostics.append(found)


def _is_container(urn: str) -> bool:
    """The stack and its components only wait for what they contain; a provider's resource has a cloud's type."""
    type_ = urn.split("::")[2].rpartition("$")[2]
    return type_ == _STACK or type_.startswith("meridian:")


def _options(state: StepEventStateMetadata | None) -> tuple[object, ...]:
    if state is None:
        return ()
    return bool(state.protect), bool(state.retain_on_delete), state.parent, state.provider


def _outputs(state: Any) -> Mapping[str, Any]:
    return (state.outputs if state else None) or {}
