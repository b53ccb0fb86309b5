"""One mistake in a project that is otherwise right, and what its author must be told."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from stacks.environment import load
from stacks.errors import ConfigErrors

PROJECT = Path(__file__).parent / "project"
STAGING = "Pulumi.staging.yaml"
PROD = "Pulumi.prod.yaml"
ACME = "tenants/acme.yaml"
GLOBEX = "tenants/globex.yaml"


@dataclass(frozen=True)
class Case:
    """`old` becomes `new` in `file`; loading `environment` then says `told`."""

    says: str
    file: str
    old: str
    new: str
    told: str
    """The whole message; … stands for a part left out."""
    environment: str = "staging"

    def __str__(self) -> str:
        return self.says.replace(" ", "-")

    def check(self, folder: Path) -> None:
        """Make the mistake in a copy of the project and compare the message."""
        project = Path(shutil.copytree(PROJECT, folder / "project"))
        path = project / self.file
        text = path.read_text(encoding="utf-8")
        assert self.old in text
        path.write_text(text.replace(self.old, self.new, 1), encoding="utf-8")
        message = told(project, self.environment)
        assert _matches(message, self.told), message


def told(project: Path, environment: str) -> str:
    """What loading says; empty when all is right."""
    try:
        load(project, environment)
    except ConfigErrors as errors:
        return str(errors)
    return ""


def _matches(message: str, expected: str) -> bool:
    first, *rest = expected.split("…")
    if not rest:
        return message == expected
    if not message.startswith(first):
        return False
    position = len(first)
    for part in rest:
        found = message.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return not rest[-1] or message.endswith(rest[-1])
