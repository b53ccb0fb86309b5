"""Mistakes as plain `pulumi` tells them: one message, no traceback, nothing registered but the stack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = ("__main__.py", "Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml", "components", "stacks", "tenants")


class Project:
    """A copy of the project with a backend of its own and no providers at all."""

    def __init__(self, root: Path, pulumi: Path, language_host: Path | None) -> None:
        self.root = root / "project"
        self.root.mkdir()
        for name in PROGRAM:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.root / name)
        (self.root / ".venv").symlink_to(ROOT / ".venv")
        (root / "state").mkdir()
        search = [str(language_host)] if language_host else []
        self._pulumi = str(pulumi)
        self._environment = {
            "PATH": os.pathsep.join([*search, os.environ["PATH"]]),
            "HOME": str(root),
            "PULUMI_HOME": str(root / "home"),
            "PULUMI_BACKEND_URL": f"file://{root / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def change(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._pulumi, *arguments, "--non-interactive", "--color=never"],
            cwd=self.root,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def fails(self, stack: str, *, command: tuple[str, ...] = ("preview",)) -> str:
        """The part of the output that says why, after checking that nothing but the stack was registered."""
        assert self.pulumi("stack", "init", stack).returncode == 0
        done = self.pulumi(*command, "--stack", stack)
        text = done.stdout + done.stderr
        assert done.returncode != 0, text
        assert "Traceback" not in text
        deployment = json.loads(self.pulumi("stack", "export", "--stack", stack).stdout)["deployment"]
        registered = {resource["type"] for resource in deployment.get("resources") or ()}
        assert registered <= {"pulumi:pulumi:Stack", "pulumi:providers:pulumi"}  # the second is a part of the engine
        diagnostics = text.partition("Diagnostics:")[2].partition("Resources:")[0]
        return "\n".join(line.strip() for line in diagnostics.splitlines())


@pytest.fixture
def project(tmp_path, programs):
    return Project(tmp_path, programs.pulumi, programs.language_host_dir)


pytestmark = pytest.mark.engine


def test_a_mistake_in_the_environment_is_told_once(project):
    project.change("Pulumi.staging.yaml", "location: europe-west1", "location: eu-west-1")

    text = project.fails("staging.aws-usw2")

    message = "regions.gcp-euw1.location: eu-west-1 is a region of aws (Dublin), not of gcp"
    assert text.count(message) == 1
    assert "did you mean: europe-west1" in text
    assert text.count("error:") == 1


def test_broken_yaml_is_told_with_its_line(project):
    project.change("tenants/acme.yaml", "tier: enterprise", "tier: [enterprise")

    assert "error: tenants/acme.yaml:4: is not valid YAML: " in project.fails("staging.aws-usw2.platform")


def test_an_environment_is_no_stack_and_its_file_survives_the_attempt(project):
    text = project.fails("staging")

    assert '"staging" is an environment, not a stack' in text
    assert project.pulumi("stack", "rm", "staging", "--yes", "--preserve-config").returncode == 0
    assert (project.root / "Pulumi.staging.yaml").exists()
    assert "staging.aws-usw2" in project.fails("staging.aws-usw3")


def test_an_update_names_the_stack_to_run_first(project):
    text = project.fails("staging.gcp-euw1.platform", command=("up", "--yes", "--skip-preview"))

    assert "stack staging.gcp-euw1 is not up yet: run `meridian up staging.gcp-euw1` first" in text
