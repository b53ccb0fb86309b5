"""A run is never silent for long, and its lines say what happened."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from automation import progress
from automation.events import Record
from automation.progress import Progress
from automation.report import counts, past

URN = "urn:pulumi:s::meridian::aws:eks/cluster:Cluster::main"


def test_a_finished_stack_is_one_line() -> None:
    printed = io.StringIO()
    with Progress(Console(file=printed, width=200)) as shown:
        shown.begin("staging.aws-usw2", "preview", Record())
        shown.end("staging.aws-usw2", "3 to create")
    assert printed.getvalue().split() == ["staging.aws-usw2", "preview", "0.0", "s", "3", "to", "create"]


def test_without_a_terminal_it_says_regularly_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT", 0.1)
    printed, record = io.StringIO(), Record(done=2, running={URN: time.monotonic() - 14})
    with Progress(Console(file=printed, width=200)) as shown:
        shown.begin("staging.aws-usw2", "up", record, expected=9)
        deadline = time.monotonic() + 10
        while not printed.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert "... staging.aws-usw2: up, 2 of 9, aws:eks/cluster:Cluster main (1" in printed.getvalue()


def test_on_a_terminal_running_stacks_are_shown_live() -> None:
    printed = io.StringIO()
    with Progress(Console(file=printed, force_terminal=True, width=120)) as shown:
        shown.begin("staging.aws-usw2", "up", Record(done=2), expected=9)
        deadline = time.monotonic() + 10
        while "up, 2 of 9" not in printed.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
        shown.say("a remark")
    assert "up, 2 of 9" in printed.getvalue()
    assert "a remark" in printed.getvalue()


def test_messages_are_never_taken_for_markup() -> None:
    printed = io.StringIO()
    with Progress(Console(file=printed, width=200)) as shown:
        shown.say("[tags] of [bold]")
    assert printed.getvalue() == "[tags] of [bold]\n"


def test_counts_are_words() -> None:
    changes = {"same": 4, "create": 2, "update": 1, "replace": 1, "create-replacement": 1, "delete-replaced": 1}
    assert counts(Record(changes=changes)) == "2 to create, 1 to update, 1 to replace"
    assert past(Record(changes=changes)) == "2 created, 1 updated, 1 replaced"
    same = {"same": 4, "read": 1}
    assert counts(Record(changes=same)) == "no changes"
    assert counts(Record(changes=same, outputs_changed=True)) == "outputs change"
    assert past(Record(changes=same, options_changed=True)) == "options changed"
