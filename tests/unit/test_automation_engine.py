"""How the engine is started, and what is made of its end; a script stands in for it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from automation.engine import Engine, Operation
from automation.errors import MeridianError
from automation.events import Record
from automation.states import EngineStates

SCRIPT = """#!{python}
import json, os, pathlib, sys
arguments = [one for one in sys.argv[1:]]
notes = pathlib.Path(os.environ["NOTES"])
with notes.open("a") as file:
    note = {{"arguments": arguments, "environment": sorted(os.environ), "input": sys.stdin.read()}}
    file.write(json.dumps(note) + "\\n")
if "fails" in arguments:
    sys.stderr.write("error: no stack named 'fails' found\\n")
    sys.exit(255)
if "preview" in arguments or "up" in arguments:
    print("Previewing", flush=True)
    sys.stderr.write("error: could not load plugin\\nfor provider aws\\n")
    sys.exit(1)
if "export" in arguments:
    print(json.dumps({{"version": 3, "deployment": {{"resources": []}}}}))
elif "tag" in arguments:
    print(json.dumps({{"meridian:world": "sandbox"}}))
elif "ls" in arguments:
    print(json.dumps([{{"name": "organization/meridian/b"}}, {{"name": "a"}}]))
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    program = tmp_path / "pulumi"
    program.write_text(SCRIPT.format(python=sys.executable))
    program.chmod(0o755)
    (tmp_path / "logs").mkdir()
    return Engine(
        root=tmp_path,
        pulumi=program,
        version="3.259.0",
        environment={"NOTES": str(tmp_path / "notes"), "PATH": os.environ["PATH"]},
        logs=tmp_path / "logs",
        policies=tmp_path / "policies",
    )


def notes(engine: Engine) -> list[dict[str, list[str]]]:
    return [json.loads(line) for line in (engine.root / "notes").read_text().splitlines()]


def test_a_stack_is_made_without_selecting_it(engine: Engine) -> None:
    engine.init("staging.aws-usw2", "awskms://key")
    (call,) = notes(engine)
    assert call["arguments"] == [
        "--non-interactive", "stack", "init", "staging.aws-usw2", "--no-select", "--secrets-provider=awskms://key",
    ]  # fmt: skip


def test_forgetting_a_stack_keeps_its_file(engine: Engine) -> None:
    engine.remove("staging.aws-usw2")
    assert "--preserve-config" in notes(engine)[0]["arguments"]


def test_the_engine_sees_no_more_of_the_environment_than_it_is_given(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    engine.cancel("staging.aws-usw2")
    assert set(notes(engine)[0]["environment"]) - {"LC_CTYPE"} == {"NOTES", "PATH", "PULUMI_AUTOMATION_API"}


def test_an_edited_state_travels_through_a_pipe_and_never_lies_on_the_disk(engine: Engine) -> None:
    engine.replace_state("staging.aws-usw2", {"secret": "s3cret"})
    (call,) = notes(engine)
    assert json.loads(str(call["input"])) == {"secret": "s3cret"}
    assert not any("s3cret" in argument for argument in call["arguments"])
    assert list(engine.logs.iterdir()) == []


def test_states_of_other_backends_are_asked_from_the_engine(engine: Engine) -> None:
    states = EngineStates(engine)
    assert states.names() == ("a", "b")
    assert states.read("a").tags == {"meridian:world": "sandbox"}
    assert states.read("a").deployment == {"resources": []}


def test_a_failing_command_says_what_the_engine_said(engine: Engine) -> None:
    with pytest.raises(MeridianError, match="no stack named 'fails' found"):
        engine.export("fails")


@pytest.mark.parametrize("operation", [Operation.PREVIEW, Operation.UP])
def test_an_engine_that_ends_before_it_reports_is_quoted(engine: Engine, operation: Operation) -> None:
    outcome = engine.operate(operation, "staging.aws-usw2", Record())
    assert not outcome.ok
    assert [error.message for error in outcome.errors()] == ["could not load plugin\nfor provider aws"]
    assert "Previewing" in outcome.log.read_text()


def test_the_policy_pack_judges_unless_only_the_state_is_in_question(engine: Engine) -> None:
    engine.operate(Operation.PREVIEW, "s", Record())
    engine.operate(Operation.PREVIEW, "s", Record(), judged=False)
    judged, unjudged = (call["arguments"] for call in notes(engine))
    assert str(engine.policies) in judged
    assert str(engine.policies) not in unjudged
    assert "--stack" in judged
    assert "select" not in judged
