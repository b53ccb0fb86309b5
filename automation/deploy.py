"""Bring stacks up: preview everything, apply what differs in order, then look again."""

from __future__ import annotations

from dataclasses import dataclass, field

from automation import report, schedule
from automation.engine import Operation, Outcome
from automation.errors import MeridianError, UsageError
from automation.objects import adopt_objects
from automation.schedule import Result
from automation.session import Session
from automation.states import PROGRAM_TAG
from stacks.slices import Slice


@dataclass
class Deployed:
    """What a run did."""

    parts: tuple[Slice, ...]
    program: str
    """Digest of the program."""
    previews: dict[Slice, Outcome]
    outdated: frozenset[Slice]
    """Stacks that another version of the program has applied last. What a preview cannot show may differ in them."""
    applied: dict[Slice, Outcome] = field(default_factory=dict)


class Blocked(MeridianError):
    """Something was refused or failed; the details have been printed."""


def preview_all(session: Session, parts: tuple[Slice, ...]) -> dict[Slice, Outcome]:
    """Preview every stack, judged by the policy pack."""
    outcomes: dict[Slice, Outcome] = {}

    def work(part: Slice) -> bool:
        outcomes[part] = preview(session, part)
        return True

    session.each(schedule.independent(parts), work)
    return {part: outcomes[part] for part in parts if part in outcomes}


def preview(session: Session, part: Slice) -> Outcome:
    """Preview one stack, judged by the policy pack."""
    outcome = session.operate(Operation.PREVIEW, part)
    text, style = told(outcome)
    session.progress.end(part.stack_name, text, style)
    return outcome


def told(outcome: Outcome) -> tuple[str, str]:
    """An outcome in a few words, and their colour."""
    record = outcome.record
    if outcome.blocked:
        return "blocked by the policy pack", "red"
    if not outcome.ok:
        return "failed", "red"
    if outcome.operation in (Operation.UP, Operation.DESTROY):
        return report.past(record), "green"
    return report.counts(record), "" if outcome.unchanged else "cyan"


def up(session: Session, parts: tuple[Slice, ...]) -> Deployed:
    """Make the stacks as they are described. Nothing is applied unless the policy pack agrees to everything.

    Raises Blocked, with the reasons printed; UsageError when what they build on is not up; Interrupted.
    """
    _require_foundations(session, parts)
    states = session.recovery.prepare(part.stack_name for part in parts)
    session.ensure_stacks(parts)
    program = session.project.digest()
    current = {stack for stack, state in states.items() if state.tags.get(PROGRAM_TAG) == program}
    outdated = frozenset(part for part in parts if part.stack_name not in current)
    run = Deployed(parts, program, preview_all(session, parts), outdated)
    _gate(session, run)
    if not outdated and all(outcome.unchanged for outcome in run.previews.values()):
        return run
    results = session.each(schedule.forward(parts), lambda part: _apply(session, run, part))
    _check_applied(session, run, results)
    _verify(session, run)
    return run


def _require_foundations(session: Session, parts: tuple[Slice, ...]) -> None:
    """A preview can do with unknown values from below, an update cannot: better to say so before anything begins."""
    existing = set(session.states.names())
    for below in dict.fromkeys(one for part in parts for one in part.upstream if one not in parts):
        if below.stack_name not in existing or not session.states.read(below.stack_name).outputs:
            raise UsageError(f"stack {below} is not up yet: run `meridian up {below}` first")


def _gate(session: Session, run: Deployed) -> None:
    """Stop before anything is applied, if a preview says so.

    A stack whose preview fails while one below it is about to change is judged again when that one is up.
    """
    differs = {part for part, outcome in run.previews.items() if not outcome.unchanged}
    wrong = [
        outcome
        for part, outcome in run.previews.items()
        if not outcome.ok and (outcome.blocked or not differs & set(part.upstream))
    ]
    if wrong:
        report.failure(session.console, wrong)
        raise Blocked(f"nothing was applied, because of {_names(wrong)}")


def _apply(session: Session, run: Deployed, part: Slice) -> bool:
    outcome = run.previews[part]
    if set(part.upstream) & set(run.applied):
        # Only now is it known what the stacks below have become.
        outcome = run.previews[part] = preview(session, part)
    if outcome.ok and not outcome.unchanged and session.setting.home and adopt_objects(session, part, outcome):
        outcome = run.previews[part] = preview(session, part)
    if not outcome.ok or session.interrupts.stopped.is_set():
        return False
    if outcome.unchanged and part not in run.outdated:
        return True
    result = session.operate(Operation.UP, part, expected=outcome.record.changed)
    run.applied[part] = result
    session.progress.end(part.stack_name, *told(result))
    if result.ok and part in run.outdated:
        session.engine.tag(part.stack_name, PROGRAM_TAG, run.program)
    return result.ok


def _check_applied(session: Session, run: Deployed, results: dict[Slice, Result]) -> None:
    if all(result is Result.DONE for result in results.values()):
        return
    latest = run.previews | run.applied
    failed = [latest[part] for part in run.parts if results[part] is Result.FAILED]
    report.failure(session.console, failed)
    skipped = [part.stack_name for part in run.parts if results[part] is Result.SKIPPED]
    after = f"; not begun, because they build on it: {', '.join(skipped)}" if skipped else ""
    raise Blocked(
        f"not up: {_names(failed)}{after}. What was made is recorded: remove the cause and run the command again"
    )


def _verify(session: Session, run: Deployed) -> None:
    """A second preview of every stack must find nothing to change."""
    found: dict[Slice, Outcome] = {}

    def work(part: Slice) -> bool:
        # Judged already, twice; now the question is only whether the state agrees with the description.
        found[part] = session.operate(Operation.PREVIEW, part, judged=False)
        session.progress.end(part.stack_name, *told(found[part]))
        return True

    session.progress.say("looking again: a second preview of every stack must find nothing to change")
    session.each(schedule.independent(run.parts), work)
    differing = [found[part] for part in run.parts if not found[part].unchanged]
    if differing:
        report.failure(session.console, differing)
        report.changes(session.console, differing)
        raise Blocked(f"a second preview still finds something to do: {_names(differing)}")


def _names(outcomes: list[Outcome]) -> str:
    return ", ".join(outcome.stack for outcome in outcomes)
