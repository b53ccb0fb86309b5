"""What a person reads when a file of theirs cannot be used: every problem at once, each one a clear message.

Nothing here prints, logs or exits. A value is repeated only when neither its key nor its own shape suggests a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_SECRET_KEY = re.compile(
    r"passw|passphrase|secret|token|credential|private|api[_-]?key|access[_-]?key|connection[_-]?string|kubeconfig",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"-----BEGIN|^(A[KS]IA[0-9A-Z]{12}|gh[a-z]_|github_pat_|glpat-|xox[a-z]-|eyJ[\w-]{8})|://[^/\s]*:[^/\s]*@"
)
_LONGEST = 80


@dataclass(frozen=True, kw_only=True)
class ConfigError:
    """One problem in what people wrote, or in the stack they asked for."""

    problem: str
    """What is wrong, as a sentence without its full stop."""
    file: str = ""
    """Path relative to the project root, with forward slashes; empty when no file is to blame."""
    line: int | None = None
    """Counted from 1."""
    key: str = ""
    """Dotted path, list entries by their name: regions.gcp-euw1.location."""
    value: str | None = None
    """As written, or masked. None: missing, or of no use to the reader."""
    accepted: str = ""
    """What would be right."""
    near: str = ""
    """What was probably meant."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        lines = [": ".join(part for part in (place, self.key, self.problem) if part)]
        if self.near:
            lines.append(f"  did you mean: {self.near}")
        if self.accepted:
            lines.append(f"  accepted: {self.accepted}")
        return "\n".join(lines)


class ConfigErrors(Exception):
    """All problems found together. `str()` is the whole message for the user."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        found = {str(error): error for error in errors}
        self.errors: tuple[ConfigError, ...] = tuple(sorted(found.values(), key=_position))
        """In the order of files and lines, each once."""
        super().__init__(*self.errors)

    def __str__(self) -> str:
        messages = [str(error) for error in self.errors]
        return "\n".join([f"{len(messages)} problems:", *messages] if len(messages) > 1 else messages)


def _position(error: ConfigError) -> tuple[str, int, str]:
    return error.file, error.line or 0, error.key


def near_miss(value: str, accepted: Iterable[str]) -> str:
    """The accepted word that `value` probably stands for, or nothing. Case does not count."""
    words = {word.lower(): word for word in accepted}
    close = get_close_matches(value.lower(), words, n=1, cutoff=0.6)
    return words[close[0]] if close else ""


def one_of(words: Iterable[str]) -> str:
    """The words in order, for people; "nothing" when there are none."""
    return ", ".join(sorted(words)) or "nothing"


def shown(key: str, value: str) -> str:
    """`value` as it may be repeated to a person: masked when it may be a secret, cut when it is long."""
    if _SECRET_KEY.search(key) or _SECRET_VALUE.search(value):
        return "***"
    line = " ".join(value.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
