"""What an interrupted run left is brought in order, or the message says how."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from automation.errors import MeridianError, UsageError
from automation.recovery import Recovery, pending_advice
from automation.states import FileStates, State
from automation.worlds import World, check_stamp
from tests.automation_fakes import a_session, write_state

STACK = "staging.aws-usw2"
URN = f"urn:pulumi:{STACK}::meridian::aws:eks/cluster:Cluster::main"
SALT = {"secrets_providers": {"type": "passphrase", "state": {"salt": "v1:mine"}}}
PENDING = {
    "type": "creating",
    "resource": {
        "urn": URN,
        "type": "aws:eks/cluster:Cluster",
        "custom": True,
        "parent": f"urn:pulumi:{STACK}::meridian::meridian:components:Cluster::main",
        "provider": f"urn:pulumi:{STACK}::meridian::pulumi:providers:aws::cloud::id-1",
    },
}


def test_the_stack_file_of_another_state_is_removed(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    write_state(engine.backend, STACK, SALT)
    path = session.project.stack_file(STACK)
    path.write_text("encryptionsalt: v1:other\n")
    session.recovery.look([STACK])
    assert not path.exists()


def test_the_stack_file_of_this_state_stays(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    write_state(engine.backend, STACK, SALT)
    path = session.project.stack_file(STACK)
    path.write_text("encryptionsalt: v1:mine\n")
    session.recovery.look([STACK])
    assert path.exists()


def test_a_stack_file_with_somebodys_settings_is_never_removed(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    write_state(engine.backend, STACK, SALT)
    path = session.project.stack_file(STACK)
    path.write_text("encryptionsalt: v1:other\nconfig:\n  aws:region: us-west-2\n")
    with pytest.raises(UsageError, match=r"Pulumi\.staging\.aws-usw2\.yaml belongs to another state"):
        session.recovery.look([STACK])
    assert path.exists()


def test_the_lock_of_a_dead_engine_is_removed(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    write_state(engine.backend, STACK, {})
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    folder = engine.backend / ".pulumi/locks/organization/meridian" / STACK
    folder.mkdir(parents=True)
    held = {"pid": process.pid, "username": "me", "hostname": socket.gethostname(), "timestamp": "2026-11-21T11:03:11Z"}
    (folder / "x.json").write_text(json.dumps(held))
    session.recovery.prepare([STACK])
    assert engine.of("cancel") == [STACK]


def test_what_a_killed_engine_was_writing_is_made_readable(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    write_state(engine.backend, STACK, {})
    folder = engine.backend / ".pulumi/stacks/meridian"
    cut, whole, other = (folder / f"{name}.attrs" for name in (f"{STACK}.json", f"{STACK}.json.bak", "prod.x.json"))
    cut.write_text("")
    whole.write_text('{"user.content_type": "application/json"}')
    other.write_text("")
    session.recovery.prepare([STACK])
    assert (cut.exists(), whole.exists(), other.exists()) == (False, True, True)


def test_in_real_clouds_somebody_has_to_look_and_is_told_what_to_run(tmp_path: Path) -> None:
    session, engine, _ = a_session(tmp_path)
    write_state(engine.backend, STACK, {"pending_operations": [PENDING]})
    real = Recovery(session.project, session.engine, FileStates(engine.backend), World.REAL, None, print)
    with pytest.raises(MeridianError, match="--clear-pending-creates") as error:
        real.prepare([STACK])
    told = str(error.value)
    assert "creating aws:eks/cluster:Cluster main" in told
    assert f"--stack {STACK} aws:eks/cluster:Cluster main ID" in told
    assert f"--provider 'default=urn:pulumi:{STACK}::meridian::pulumi:providers:aws::cloud'" in told


def test_only_creations_can_be_imported() -> None:
    told = pending_advice(State(STACK, {"pending_operations": [PENDING | {"type": "updating"}]}))
    assert "pulumi import" not in told
    assert "updating aws:eks/cluster:Cluster main" in told


def test_a_state_of_the_other_world_is_refused() -> None:
    stamped = State(STACK, {}, {"meridian:world": "sandbox"})
    check_stamp(stamped, World.SANDBOX)
    check_stamp(State(STACK), World.REAL)
    with pytest.raises(UsageError, match="describes the sandbox world"):
        check_stamp(stamped, World.REAL)
