"""Our Python language host under the genuine engine, on a file backend."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pulumi import automation

from tests.processes import gone, until
from toolchain import links, programs

pytestmark = pytest.mark.engine

PROGRAM = """
import os, sys, time
import pulumi

config = pulumi.Config()
match os.environ.get("MODE"):
    case "user":
        raise pulumi.RunError("Pulumi.staging.yaml: regions.0.cloud: 'asw' is not a cloud\\ndid you mean 'aws'?")
    case "bug":
        def mistake():
            return {}["missing"]
        mistake()
    case "late":
        pulumi.Output.from_input(1).apply(lambda value: value / 0)
    case "exit":
        sys.exit(3)
    case "killed":
        os.kill(os.getpid(), 9)
    case "wait":
        with open(os.environ["PIDS"], "w") as file:
            file.write(f"{os.getpid()} {os.getppid()}\\n")
        time.sleep(120)
print("a line on standard output")
print("a line on standard error", file=sys.stderr)
pulumi.export("answer", {
    "stack": pulumi.get_stack(),
    "project": pulumi.get_project(),
    "organization": pulumi.get_organization(),
    "size": len(config.get("large") or ""),
    "secret": config.get_secret("password"),
    "folder": os.getcwd(),
    "interpreter": sys.executable,
    "bytecode": not sys.dont_write_bytecode,
    "beside": __import__("beside").VALUE,
})
"""

PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

def judge(args, report):
    report(f"saw {len(args.resources)} resource")

PolicyPack("pack", [StackValidationPolicy("judge", "judges", judge, EnforcementLevel.MANDATORY)])
"""


class Engine:
    """The engine on this machine with a project of its own, on a file backend."""

    def __init__(self, folder: Path) -> None:
        found = programs.find()
        assert isinstance(found, programs.Programs), str(found)
        self.programs = found
        self.host = found.language_host_dir or links.place(found.pulumi, found.pulumi_version)
        self.project = folder / "project"
        (folder / "state").mkdir()
        self.project.mkdir()
        (self.project / "Pulumi.yaml").write_text("name: meridian\nruntime: python\n")
        (self.project / "__main__.py").write_text(PROGRAM)
        (self.project / "beside.py").write_text("VALUE = 42\n")
        self.env = {
            **os.environ,
            "PATH": f"{self.host}:{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "not a secret",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.run("stack", "init", "test")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.host / "pulumi"), *arguments, "--non-interactive", "--color=never"],
            cwd=self.project,
            env=self.env | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        process = self.start(*arguments, **environment)
        output = process.communicate(timeout=60)[0]
        return process.returncode, output

    def preview(self, mode: str) -> tuple[int, str]:
        """The exit code, and what is said about the program once the preview is over."""
        code, output = self.run("preview", MODE=mode)
        return code, output.partition("Diagnostics:")[2] or output


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("engine"))


def test_a_program_runs_with_everything_the_engine_says(engine: Engine):
    large = "x" * 200_000  # more than one argument or variable may hold on Linux
    settings = engine.project / "Pulumi.test.yaml"
    settings.write_text(settings.read_text() + f"config:\n  meridian:large: {large}\n")
    engine.run("config", "set", "--secret", "password", "hush")
    code, output = engine.run("up", "--yes", "--skip-preview")
    assert code == 0, output
    assert "a line on standard output" in output
    assert "a line on standard error" in output
    assert "hush" not in output
    assert "warning" not in output
    answer = json.loads(engine.run("stack", "output", "--json", "--show-secrets", "answer")[1])
    assert answer == {
        "stack": "test",
        "project": "meridian",
        "organization": "organization",
        "size": len(large),
        "secret": "hush",
        "folder": str(engine.project),
        "interpreter": sys.executable,
        "bytecode": True,
        "beside": 42,
    }


def test_an_error_for_the_user_is_shown_once_without_a_traceback(engine: Engine):
    code, output = engine.preview("user")
    assert code != 0
    assert output.count("'asw' is not a cloud") == 1
    assert "did you mean 'aws'?" in output
    assert "Traceback" not in output
    assert "exit code" not in output


@pytest.mark.parametrize(
    ("mode", "error", "where"), [("bug", "KeyError: 'missing'", "mistake"), ("late", "ZeroDivisionError", "<lambda>")]
)
def test_a_mistake_of_the_program_has_a_traceback_of_its_own_lines_only(
    engine: Engine, mode: str, error: str, where: str
):
    code, output = engine.preview(mode)
    assert code != 0
    assert output.count(error) == 1
    frames = re.findall(r'File "(.*)", line \d+, in (.*)', output)
    assert frames[-1] == (str(engine.project / "__main__.py"), where)
    assert {file for file, _ in frames} == {str(engine.project / "__main__.py")}


@pytest.mark.parametrize(
    ("mode", "message"),
    [("exit", "program exited with non-zero exit code: 3"), ("killed", "the program was ended by SIGKILL")],
)
def test_a_program_that_ends_without_a_word_is_explained(engine: Engine, mode: str, message: str):
    code, output = engine.preview(mode)
    assert code != 0
    assert message in output


def test_a_policy_pack_judges(engine: Engine, tmp_path: Path):
    (tmp_path / "PulumiPolicy.yaml").write_text(
        f"runtime:\n  name: python\n  options:\n    virtualenv: {os.path.relpath(sys.prefix, tmp_path)}\n"
    )
    (tmp_path / "__main__.py").write_text(PACK)
    code, output = engine.run("preview", "--policy-pack", str(tmp_path))
    assert code != 0
    assert "saw 1 resource" in output


def test_the_automation_api_takes_the_engine(engine: Engine):
    events: list[automation.EngineEvent] = []
    stack = automation.select_stack(
        "test",
        work_dir=str(engine.project),
        opts=automation.LocalWorkspaceOptions(
            pulumi_command=automation.PulumiCommand(root=str(engine.host.parent)), env_vars=engine.env
        ),
    )
    stack.preview(on_event=events.append)
    assert any(event.summary_event for event in events)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_engine_ends_no_process_is_left(engine: Engine, tmp_path: Path, how: signal.Signals):
    pids = tmp_path / "pids"
    process = engine.start("preview", MODE="wait", PIDS=str(pids))
    until(lambda: pids.exists() and pids.read_text().endswith("\n"))
    program, host = map(int, pids.read_text().split())
    process.send_signal(how)
    assert gone(program)
    assert gone(host)
    output = process.communicate(timeout=10)[0]
    assert process.returncode != 0
    assert "Traceback" not in output
