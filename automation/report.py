"""What people read at the end: violations, diagnostics, what would change, the summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from automation.engine import Outcome
from automation.events import Diagnostic, Record, Step, Violation

_VERBS = {
    "create": "to create",
    "update": "to update",
    "delete": "to delete",
    "replace": "to replace",
    "import": "to import",
}
_PAST = {
    "to create": "created",
    "to update": "updated",
    "to delete": "deleted",
    "to replace": "replaced",
    "to import": "imported",
    "s change": "s changed",
}
_DETAILS = 40
"""Steps shown for a stack; the rest is counted."""


_WIDE = 200
"""Columns where nobody looks at a terminal: a log or another program must not get lines that are cut."""


def console(*, stderr: bool = False) -> Console:
    """Where a command writes."""
    made = Console(stderr=stderr)
    return made if made.is_terminal else Console(stderr=stderr, width=_WIDE)


def counts(record: Record) -> str:
    """Such as: 3 to create, 1 to replace. The halves of a replacement are not counted beside it."""
    parts = [f"{record.changes[op]} {verb}" for op, verb in _VERBS.items() if record.changes.get(op)]
    if not parts and record.options_changed:
        parts.append("options change")
    if not parts and record.outputs_changed:
        parts.append("outputs change")
    return ", ".join(parts) or "no changes"


def past(record: Record) -> str:
    """The same for what has been done."""
    text = counts(record)
    for future, done in _PAST.items():
        text = text.replace(future, done)
    return text


def failure(console: Console, outcomes: Iterable[Outcome]) -> None:
    """Why stacks failed: violations first, then each error once, whichever stacks it comes from."""
    failed = [outcome for outcome in outcomes if not outcome.ok]
    for outcome in failed:
        _violations(console, outcome)
    told: dict[Diagnostic, list[str]] = {}
    for outcome in failed:
        if not outcome.blocked:
            for diagnostic in _causes(outcome.errors()):
                told.setdefault(diagnostic, []).append(outcome.stack)
    # One mistake in a file that all stacks read is one message.
    merged: dict[str, tuple[list[str], str]] = {}
    for diagnostic, stacks in told.items():
        names, _ = merged.setdefault(diagnostic.message, ([], diagnostic.resource))
        names.extend(name for name in stacks if name not in names)
    for message, (stacks, resource) in merged.items():
        where = ", ".join(stacks) + (f": {resource}" if resource else "")
        console.print(f"\n[bold red]error[/] [bold]{escape(where)}[/]", highlight=False)
        console.print(_indented(message), markup=False, highlight=False, soft_wrap=True)
    for outcome in failed:
        console.print(f"[dim]log: {escape(str(outcome.log))}[/dim]", highlight=False, soft_wrap=True)


def _causes(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """Without what was merely cut off by another error, unless nothing else is said."""
    return [one for one in diagnostics if "context canceled" not in one.message] or diagnostics


def _violations(console: Console, outcome: Outcome) -> None:
    mandatory = _distinct(violation for violation in outcome.record.violations if violation.mandatory)
    if not mandatory:
        return
    title = f"the policy pack blocks {outcome.stack}"
    console.print(f"\n[bold red]{escape(title)}[/]: {_number(len(mandatory), 'violation')}", highlight=False)
    by_resource: dict[str, list[str]] = {}
    for violation in mandatory:
        by_resource.setdefault(violation.resource, []).append(violation.message)
    for resource, messages in by_resource.items():
        if resource:
            console.print(f"  [bold]{escape(resource)}[/]", highlight=False, soft_wrap=True)
        for message in messages:
            console.print(_indented(message, 4), markup=False, highlight=False, soft_wrap=True)


def warnings(console: Console, outcomes: Iterable[Outcome]) -> None:
    """Advisory violations and warnings of operations that worked, each once."""
    told: set[str] = set()
    for outcome in outcomes:
        found = [
            *(violation for violation in outcome.record.violations if not violation.mandatory),
            *(diagnostic for diagnostic in outcome.record.diagnostics if diagnostic.severity == "warning"),
        ]
        for one in found:
            text = ": ".join(part for part in (outcome.stack, one.resource, one.message) if part)
            if outcome.ok and text not in told:
                told.add(text)
                console.print(f"[yellow]warning[/] {escape(text)}", highlight=False, soft_wrap=True)


def changes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """What the previews of stacks found: every resource but those to be made, which are only counted."""
    for outcome in outcomes:
        if not outcome.ok:
            continue
        record = outcome.record
        console.print(f"\n[bold]{outcome.stack}[/]: {counts(record)}", highlight=False)
        shown = [step for step in record.steps if step.op in ("update", "replace", "delete", "import")]
        for step in shown[:_DETAILS]:
            console.print(f"  {_step(step)}", highlight=False, soft_wrap=True)
        if len(shown) > _DETAILS:
            console.print(f"  ... and {len(shown) - _DETAILS} more", highlight=False)


def _step(step: Step) -> str:
    colours = {"update": "yellow", "replace": "red", "delete": "red", "import": "cyan"}
    keys = f" ({', '.join(step.keys)})" if step.keys else ""
    return f"[{colours.get(step.op, 'white')}]{step.op:<8}[/] {escape(step.name + keys)}"


def as_data(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Previews for programs to read: per stack the counts, every step, and what the policy pack said."""
    return {
        outcome.stack: {
            "ok": outcome.ok,
            "changes": dict(outcome.record.changes),
            "outputs_changed": outcome.record.outputs_changed,
            "options_changed": outcome.record.options_changed,
            "steps": [
                {"op": step.op, "urn": step.urn, "type": step.type, "keys": list(step.keys)}
                for step in outcome.record.steps
            ],
            "violations": [
                {"policy": one.policy, "urn": one.urn, "message": one.message, "mandatory": one.mandatory}
                for one in outcome.record.violations
            ],
            "errors": [one.message for one in outcome.errors()],
            "seconds": round(outcome.seconds, 2),
        }
        for outcome in outcomes
    }


def table(*columns: str, right: Iterable[str] = ()) -> Table:
    """An empty table in the one look that all our tables have; columns named in `right` hold numbers.

    On a narrow terminal long words go on in the next line; nothing is cut.
    """
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in set(right) else "left", overflow="fold")
    return made


def _distinct(violations: Iterable[Violation]) -> list[Violation]:
    return list(dict.fromkeys(violations))


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _indented(text: str, by: int = 2) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())
