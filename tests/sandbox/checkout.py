"""A copy of the project with a sandbox of its own, driven through the `meridian` command as a person would."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from automation.objects import cluster_of
from automation.states import FileStates
from sandbox import control
from sandbox.paths import Home
from sandbox.world import World

PROJECT = Path(__file__).resolve().parents[2]
COPIED = (
    "Pulumi.yaml",
    "Pulumi.staging.yaml",
    "__main__.py",
    "components",
    "stacks",
    "policies",
    "tenants",
    "services",
)
PATIENCE = 600
"""Seconds for one command on a machine that does much else."""


@dataclass(frozen=True)
class Done:
    """How a command ended. `printed` is everything that a person would have seen."""

    code: int
    printed: str
    out: str


@dataclass(frozen=True)
class Checkout:
    """A project's folder whose sandbox is nobody else's. The command's own code is that of the project under test."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> Checkout:
        """Copy what people edit and what the engine runs; the virtual environment is shared."""
        root.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            source = PROJECT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            elif source.exists():
                shutil.copy(source, root / name)
        (root / ".venv").symlink_to(PROJECT / ".venv")
        return cls(root)

    @property
    def home(self) -> Path:
        return self.root / ".meridian/sandbox"

    @property
    def states(self) -> FileStates:
        return FileStates(Home.at(self.home).backend)

    @contextmanager
    def world(self) -> Generator[World]:
        """What the simulated clouds hold."""
        world = World(Home.at(self.home).world)
        try:
            yield world
        finally:
            world.close()

    def environment(self) -> dict[str, str]:
        """A person's shell, without what this test run or a sandbox of theirs has put there."""
        ours = ("MERIDIAN_", "PULUMI_", "PYTHONDONTWRITEBYTECODE", "PYTEST_", "COLUMNS")
        found = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return found | {"PYTHONPATH": str(PROJECT)}

    def command(self, *arguments: str) -> list[str]:
        """`meridian …`; -P keeps the copy's modules from standing in for those under test."""
        return [sys.executable, "-P", "-m", "automation.cli", *arguments]

    def meridian(self, *arguments: str) -> Done:
        """Run the command to its end."""
        result = subprocess.run(
            self.command(*arguments), cwd=self.root, env=self.environment(), capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert "Traceback" not in result.stderr, result.stderr
        return Done(result.returncode, result.stdout + result.stderr, result.stdout)

    def well(self, *arguments: str) -> Done:
        """The same, and it has to work."""
        done = self.meridian(*arguments)
        assert done.code == 0, done.printed
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command, in a session of its own as a shell would give it."""
        return subprocess.Popen(
            self.command(*arguments), cwd=self.root, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def shell(self, script: str) -> Done:
        """Run a script in a shell that `meridian sandbox env` has set up."""
        command = " ".join(f"'{part}'" for part in self.command("sandbox", "env"))
        result = subprocess.run(
            ["bash", "-euc", f'variables="$({command})"; unset PYTHONPATH; eval "$variables"\n{script}'],
            cwd=self.root, env=self.environment(), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return Done(result.returncode, result.stdout + result.stderr, result.stdout)

    def preview(self, target: str) -> dict[str, Any]:
        """What would change, stack by stack. Fails when a preview does."""
        return json.loads(self.well("preview", "--json", target).out)

    def steps(self, target: str) -> dict[str, list[tuple[str, str, str]]]:
        """(operation, type, name) of everything that would change, by stack; stacks without changes are left out."""
        return {
            stack: [(step["op"], step["type"], step["urn"].split("::", 3)[3]) for step in preview["steps"]]
            for stack, preview in self.preview(target).items()
            if preview["steps"]
        }

    def edit(self, name: str, **changes: Any) -> None:
        """Change top-level keys of a YAML file."""
        path = self.root / name
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}, sort_keys=False))

    def platform(self, environment: str) -> dict[str, Any]:
        """What an environment's file says."""
        text = (self.root / f"Pulumi.{environment}.yaml").read_text()
        return yaml.safe_load(text)["config"]["meridian:platform"]

    def describe(self, environment: str, platform: dict[str, Any]) -> None:
        """Write an environment's file."""
        document = {"config": {"meridian:platform": platform}}
        (self.root / f"Pulumi.{environment}.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    def api(self, stack: str) -> httpx.Client:
        """The API server of a region slice's cluster, as its administrator."""
        home = Home.at(self.home)
        cluster = cluster_of(home, self.states.read(stack).outputs)
        assert cluster, f"the sandbox holds no cluster of {stack}"
        return httpx.Client(
            base_url=cluster.url,
            verify=ssl.create_default_context(cadata=cluster.ca_pem),
            headers={"Authorization": f"Bearer {cluster.admin_token}"},
            trust_env=False,
        )

    def running(self) -> bool:
        """Whether the sandbox runs."""
        return control.status(self.home) is not None
