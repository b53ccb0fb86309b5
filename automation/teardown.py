"""Take stacks down: preview first, then from the top to the bottom, then look at what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from automation import report, schedule
from automation.adoption import stack_of
from automation.deploy import Blocked, told
from automation.engine import Operation, Outcome
from automation.errors import UsageError
from automation.project import Target
from automation.schedule import Result
from automation.session import Session
from sandbox.paths import Home
from sandbox.world import World as SimulatedClouds
from stacks.slices import Slice


@dataclass(frozen=True)
class Destroyed:
    """What is gone: the stacks, and how many resources were in them."""

    stacks: int
    resources: int


def destroy(session: Session, target: Target, confirm: Callable[[int], bool]) -> Destroyed:
    """Delete everything in the stacks that are meant, and forget the stacks.

    `confirm` is asked once, with the number of resources, after every preview has succeeded.
    Raises Blocked with the reasons printed, UsageError when other stacks build on these.
    """
    existing = session.states.names()
    parts = target.among(session.project.root, existing)
    _refuse_foundations(parts, existing)
    states = session.recovery.prepare(part.stack_name for part in parts)
    full = tuple(part for part in parts if states[part.stack_name].resources)

    previews: dict[Slice, Outcome] = {}

    def preview(part: Slice) -> bool:
        outcome = previews[part] = session.operate(Operation.PREVIEW_DESTROY, part)
        session.progress.end(part.stack_name, *told(outcome))
        return outcome.ok

    session.each(schedule.independent(full), preview)
    if refused := [outcome for outcome in previews.values() if not outcome.ok]:
        report.failure(session.console, refused)
        raise Blocked("nothing was deleted")
    number = sum(states[part.stack_name].count for part in full)
    if number and not confirm(number):
        raise Blocked("not confirmed; nothing was deleted")

    outcomes: dict[Slice, Outcome] = {}

    def work(part: Slice) -> bool:
        if part in previews:
            outcome = session.operate(Operation.DESTROY, part, expected=previews[part].record.changed)
            outcomes[part] = outcome
            session.progress.end(part.stack_name, *told(outcome))
            if not outcome.ok:
                return False
        session.engine.remove(part.stack_name)
        session.recovery.forget_stack_file(part.stack_name)
        return True

    results = session.each(schedule.backward(parts), work)
    if any(result is not Result.DONE for result in results.values()):
        report.failure(session.console, outcomes.values())
        left = ", ".join(part.stack_name for part in parts if results[part] is not Result.DONE)
        raise Blocked(f"still there: {left}. Remove the cause and run the command again")
    deleted = sum(outcome.record.changes.get("delete", 0) for outcome in outcomes.values())
    return Destroyed(len(parts), deleted)


def _refuse_foundations(parts: tuple[Slice, ...], existing: tuple[str, ...]) -> None:
    """Other slices would lose the ground they stand on, and could not even be deleted afterwards."""
    for name in existing:
        try:
            other = Slice.parse(name)
        except ValueError:
            continue
        if other not in parts and (below := set(other.upstream) & set(parts)):
            lowest = ", ".join(sorted(str(part) for part in below))
            raise UsageError(f"stack {other} builds on {lowest}: destroy {other} first, or the whole environment")


def leftovers(session: Session, target: Target) -> dict[str, int]:
    """What the simulated clouds still hold of the stacks that were meant, by stack; empty when nothing is left."""
    clouds = SimulatedClouds(Home.at(session.setting.sandbox).world)
    try:
        held = Counter(stack_of(one.urn) for one in clouds.resources())
    finally:
        clouds.close()
    return {
        stack: number
        for stack, number in held.items()
        if stack == target.stack or (target.stack is None and stack.partition(".")[0] == target.environment)
    }
