"""The command's face: one message, the right exit code, no traceback, nothing begun."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from automation import cli, deploy, runlog
from automation.errors import UsageError
from automation.project import Project, Target

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the real files and a home of its own, in which no sandbox runs."""
    for name in ("Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml", "tenants", "policies"):
        (tmp_path / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MERIDIAN_WORLD", raising=False)
    monkeypatch.delenv("MERIDIAN_SANDBOX_HOME", raising=False)
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run the command; its exit code and all that it printed."""
    monkeypatch.setattr(sys, "argv", ["meridian", *arguments])
    monkeypatch.setattr(cli.Options, "debug", False)
    with pytest.raises(SystemExit) as ending:
        cli.main()
    shown = capsys.readouterr()
    return int(ending.value.code or 0), shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("up", "stagin"), "did you mean: staging"),
        (("up", "staging.aws-usw1"), "did you mean: staging.aws-usw2"),
        (("up", "staging."), 'has no stack "staging."'),
        (("preview", "staging.aws-usw2.tenants-99"), "accepted: staging.aws-usw2"),
        (("up", "staging"), "start it with `meridian sandbox up`"),
        (("up", "staging", "--world", "sandbox"), "start it with `meridian sandbox up`"),
        (("destroy", "staging"), "start it with `meridian sandbox up`"),
        (("sandbox", "env"), "start it with `meridian sandbox up`"),
        (("sandbox", "kubeconfig", "aws-usw2"), "start it with `meridian sandbox up`"),
        (("up",), "Missing argument 'TARGET'"),
        (("up", "staging", "--world", "moon"), "'moon' is not one of 'sandbox', 'real'"),
        (("up", "staging", "--parallel", "0"), "--parallel"),
        (("fly",), "No such command 'fly'"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(
    copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    code, shown = call(monkeypatch, capsys, *arguments)
    assert code == 2
    assert told in shown
    assert "Traceback" not in shown


def test_status_without_a_sandbox_is_a_no(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = call(monkeypatch, capsys, "sandbox", "status")
    assert (code, "is not running" in shown) == (1, True)


def test_outside_a_project_it_is_the_one_the_code_lies_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Project.find(tmp_path).root == PROJECT


def test_a_mistake_of_ours_is_one_sentence_and_the_traceback_is_in_a_file(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by mistake")

    monkeypatch.setattr(cli, "choose", broken)
    code, shown = call(monkeypatch, capsys, "up", "staging")
    log = copy / ".meridian/logs/errors.log"
    assert code == 1
    assert f"unexpected: ZeroDivisionError: by mistake; the traceback is in {log}" in shown
    assert "Traceback" in log.read_text()
    code, shown = call(monkeypatch, capsys, "--debug", "up", "staging")
    assert (code, "Traceback" in shown) == (1, True)


def test_starting_the_command_is_quick_and_imports_no_clouds_sdk() -> None:
    code = "import sys, automation.cli; print([m for m in sys.modules if m.startswith(('pulumi_', 'grpc_'))])"
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


HOLD = """
import sys, time, pathlib
from automation import runlog
with runlog.exclusive(pathlib.Path(sys.argv[1]), "staging", "meridian up staging"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_on_an_environment_says_who_holds_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        expected = rf"`meridian up staging` \(pid {holder.pid}, since \d\d:\d\d:\d\d\) is working on staging"
        with pytest.raises(UsageError, match=expected), runlog.exclusive(tmp_path, "staging", "x"):
            pass
        with runlog.exclusive(tmp_path, "prod", "x"):
            pass
        holder.kill()
        holder.wait()
    # However the holder ended, the environment is free afterwards.
    with runlog.exclusive(tmp_path, "staging", "x"):
        pass


def test_old_logs_are_removed(tmp_path: Path) -> None:
    for number in range(runlog.KEPT_RUNS + 5):
        (tmp_path / f"20260101-0000{number:02d}-up-staging-1").mkdir()
    made = runlog.begin(tmp_path, "up-staging")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == runlog.KEPT_RUNS
    assert made.name in left
    assert "20260101-000000-up-staging-1" not in left


def test_targets() -> None:
    assert Target.parse("staging") == Target("staging", None)
    assert str(Target.parse("staging.aws-usw2.platform")) == "staging.aws-usw2.platform"
    assert Target.parse("staging.aws-usw2").what == "stack staging.aws-usw2"


def test_previews_can_be_read_by_programs(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.automation_fakes import a_session

    session, _, _ = a_session(copy)
    outcomes = deploy.preview_all(session, (Target.parse("staging").load(copy)[1][0],))
    data = json.loads(json.dumps(cli.report.as_data(outcomes.values())))
    assert data["staging.aws-usw2"]["changes"] == {"same": 3}
    assert data["staging.aws-usw2"]["ok"] is True
