"""What is applied, what is not, and in which order."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from automation import deploy, teardown
from automation.deploy import Blocked
from automation.engine import Operation
from automation.errors import UsageError
from automation.events import Diagnostic, Record, Violation
from automation.project import Target
from automation.session import Interrupted, Session
from automation.states import PROGRAM_TAG
from stacks.slices import Slice
from tests.automation_fakes import FakeEngine, a_session, creates, steps, unchanged, write_state

REGION = Slice("staging", "aws-usw2")
PLATFORM = Slice("staging", "aws-usw2", "platform")
OTHER = Slice("staging", "gcp-euw1")
ALL = (REGION, PLATFORM, OTHER)
URN = "urn:pulumi:staging.aws-usw2::meridian::aws:ec2/vpc:Vpc::main"


def fails(operation: Operation, stack: str, record: Record) -> bool:
    record.diagnostics.append(Diagnostic("error", "no such subnet", URN))
    return False


def blocks(operation: Operation, stack: str, record: Record) -> bool:
    record.violations.append(Violation("tags", "[tags] lacks owner: add labels", URN, mandatory=True))
    return False


def test_an_empty_world_is_initialised_stamped_previewed_applied_and_looked_at_again(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    engine.default = creates(3)
    run = deploy.up(session, ALL)
    assert set(engine.of("init")) == {"staging.aws-usw2", "staging.aws-usw2.platform", "staging.gcp-euw1"}
    assert "staging.gcp-euw1 meridian:world=sandbox" in engine.of("tag")
    assert set(run.applied) == set(ALL)
    assert engine.of("up").index("staging.aws-usw2") < engine.of("up").index("staging.aws-usw2.platform")
    assert sorted(engine.of("look again")) == sorted(str(part) for part in ALL)


def up_before(session: Session, engine: FakeEngine) -> None:
    """The stacks are up, applied by the very program that is there."""
    for part in ALL:
        write_state(engine.backend, part.stack_name, {})
        engine.tag(part.stack_name, PROGRAM_TAG, session.project.digest())
    engine.asked.clear()


def test_when_nothing_differs_every_stack_is_previewed_once_and_nothing_else_happens(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    up_before(session, engine)
    run = deploy.up(session, ALL)
    assert run.applied == {}
    assert sorted(engine.of("preview")) == sorted(str(part) for part in ALL)
    assert engine.of("up") == engine.of("look again") == []


def test_another_program_is_applied_even_if_no_difference_can_be_seen(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    up_before(session, engine)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/region.py").write_text("# a secret output may be another now")
    assert set(deploy.up(session, ALL).applied) == set(ALL)
    assert deploy.up(session, ALL).applied == {}


def test_a_stack_above_a_changed_one_is_previewed_again_before_it_is_applied(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    up_before(session, engine)
    engine.answers["staging.aws-usw2"] = creates(1)
    deploy.up(session, ALL)
    assert engine.of("up") == ["staging.aws-usw2"]
    assert engine.of("preview").count("staging.aws-usw2.platform") == 2
    assert engine.of("preview").count("staging.gcp-euw1") == 1


def test_what_a_stack_builds_on_must_be_up(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    with pytest.raises(UsageError, match=r"staging\.aws-usw2 is not up yet: run `meridian up staging\.aws-usw2` first"):
        deploy.up(session, (PLATFORM,))
    write_state(engine.backend, REGION.stack_name, {})
    with pytest.raises(UsageError, match="is not up yet"):
        deploy.up(session, (PLATFORM,))
    root = {"urn": URN, "type": "pulumi:pulumi:Stack", "outputs": {"format": 1}}
    write_state(engine.backend, REGION.stack_name, {"resources": [root]})
    assert set(deploy.up(session, (PLATFORM,)).applied) == {PLATFORM}


def test_a_lock_that_shows_only_in_a_failure_is_cleared_when_its_holder_is_dead(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    at = f"created by me@{socket.gethostname()} (pid {process.pid}) at 2026-11-21T11:03:11Z"
    engine.locked["staging.aws-usw2"] = f"error: the stack is currently locked by 1 lock(s).\n  s3://b/x.json: {at}"
    engine.default = creates(1)
    assert set(deploy.up(session, (REGION,)).applied) == {REGION}
    assert engine.of("cancel") == ["staging.aws-usw2"]


def test_one_blocked_stack_blocks_everything_and_the_message_has_resource_and_fix(tmp_path: Path) -> None:
    session, engine, printed = a_session(tmp_path)
    engine.default, engine.answers["staging.aws-usw2.platform"] = creates(1), blocks
    with pytest.raises(Blocked, match=r"nothing was applied, because of staging\.aws-usw2\.platform"):
        deploy.up(session, ALL)
    assert engine.of("up") == []
    assert "the policy pack blocks staging.aws-usw2.platform: 1 violation" in printed.getvalue()
    assert "aws:ec2/vpc:Vpc main" in printed.getvalue()
    assert "[tags] lacks owner: add labels" in printed.getvalue()


def test_a_failing_preview_stops_everything_and_one_mistake_is_one_message(tmp_path: Path) -> None:
    session, engine, printed = a_session(tmp_path)
    engine.default = fails
    with pytest.raises(Blocked):
        deploy.up(session, ALL)
    assert engine.of("up") == []
    assert printed.getvalue().count("no such subnet") == 1


def test_a_preview_that_fails_only_until_what_it_builds_on_is_up_is_judged_again(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    up_before(session, engine)
    engine.answers["staging.aws-usw2"] = creates(1)

    def later(operation: Operation, stack: str, record: Record) -> bool:
        record.changes = {"same": 1}
        return "staging.aws-usw2" in engine.of("up")

    engine.answers["staging.aws-usw2.platform"] = later
    assert list(deploy.up(session, ALL).applied) == [REGION]


def test_after_a_failed_update_nothing_above_it_begins_and_the_rest_goes_on(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    engine.default = creates(1)

    def broken(operation: Operation, stack: str, record: Record) -> bool:
        record.changes = {"create": 1}
        return operation is not Operation.UP

    engine.answers["staging.aws-usw2"] = broken
    with pytest.raises(Blocked, match=r"not up: staging\.aws-usw2; not begun.*: staging\.aws-usw2\.platform"):
        deploy.up(session, ALL)
    assert sorted(engine.of("up")) == ["staging.aws-usw2", "staging.gcp-euw1"]


def test_a_second_preview_that_finds_something_is_a_failure(tmp_path: Path) -> None:
    session, engine, printed = a_session(tmp_path)

    def restless(operation: Operation, stack: str, record: Record) -> bool:
        record.changes, record.steps = {"update": 1}, list(steps("update"))
        return True

    engine.answers["staging.gcp-euw1"] = restless
    with pytest.raises(Blocked, match=r"still finds something to do: staging\.gcp-euw1"):
        deploy.up(session, ALL)
    assert "aws:ec2/vpc:Vpc update (tags)" in printed.getvalue()


def test_changed_outputs_alone_are_applied_too(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    up_before(session, engine)

    def outputs(operation: Operation, stack: str, record: Record) -> bool:
        record.changes, record.outputs_changed = {"same": 1}, "staging.gcp-euw1" not in engine.of("up")
        return True

    engine.answers["staging.gcp-euw1"] = outputs
    assert list(deploy.up(session, ALL).applied) == [OTHER]


def test_a_stopped_run_says_so(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)

    def stop(operation: Operation, stack: str, record: Record) -> bool:
        session.interrupts.stopped.set()
        return True

    engine.default = stop
    with pytest.raises(Interrupted):
        deploy.up(session, ALL)
    assert engine.of("up") == []


def resources(*protected: str) -> dict[str, object]:
    return {"resources": [{"urn": URN, "type": "aws:ec2/vpc:Vpc", "custom": True, "id": "vpc-1"}]}


def deletes(operation: Operation, stack: str, record: Record) -> bool:
    record.changes = {"delete": 1}
    return True


def test_an_environment_is_taken_down_from_the_top_and_its_stacks_are_forgotten(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    engine.default = deletes
    for part in ALL:
        write_state(engine.backend, part.stack_name, resources())
    write_state(engine.backend, "prod.aws-usw2", resources())
    gone = teardown.destroy(session, Target.parse("staging"), lambda number: number == 3)
    assert (gone.stacks, gone.resources) == (3, 3)
    assert engine.of("destroy").index("staging.aws-usw2.platform") < engine.of("destroy").index("staging.aws-usw2")
    assert sorted(engine.of("remove")) == sorted(str(part) for part in ALL)
    assert session.states.names() == ("prod.aws-usw2",)


def test_one_protected_resource_keeps_everything(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    engine.default, engine.answers["staging.gcp-euw1"] = deletes, fails
    for part in ALL:
        write_state(engine.backend, part.stack_name, resources())
    with pytest.raises(Blocked, match="nothing was deleted"):
        teardown.destroy(session, Target.parse("staging"), lambda _: True)
    assert engine.of("destroy") == engine.of("remove") == []


def test_without_consent_nothing_is_deleted(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    engine.default = deletes
    write_state(engine.backend, REGION.stack_name, resources())
    with pytest.raises(Blocked, match="not confirmed"):
        teardown.destroy(session, Target.parse("staging"), lambda _: False)
    assert engine.of("destroy") == []


def test_empty_stacks_are_only_forgotten(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    write_state(engine.backend, REGION.stack_name, {})
    teardown.destroy(session, Target.parse("staging"), lambda _: False)
    assert [what for what, _ in engine.asked] == ["remove"]


def test_a_stack_that_others_build_on_cannot_go_alone(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    engine.default = unchanged
    for part in ALL:
        write_state(engine.backend, part.stack_name, resources())
    with pytest.raises(UsageError, match=r"staging\.aws-usw2\.platform builds on staging\.aws-usw2"):
        teardown.destroy(session, Target.parse("staging.aws-usw2"), lambda _: True)
    assert engine.asked == []
