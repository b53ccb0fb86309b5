"""YAML files that people edit: their data, and where in the file each piece of it stands.

YAML 1.1 as PyYAML reads it, with two additions: a key given twice is an error (otherwise the first is lost without a
word), and keys must be text. Positions are worked out only when something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from stacks.errors import ConfigError, ConfigErrors

# The loader in C is four times as fast; a Python without it reads the same.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"
_STRING = "tag:yaml.org,2002:str"

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of a document."""


class _Loader(_Safe):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag != _STRING:
                written = f' ("{key.value}" needs quotes)' if isinstance(key, yaml.ScalarNode) else ""
                raise yaml.MarkedYAMLError(problem=f"a key must be text{written}", problem_mark=key.start_mark)
            if key.value in seen:
                problem = f'the key "{key.value}" is given twice, first in line {seen[key.value]}'
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen[key.value] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Document:
    """One file: `name` is its path relative to the project root."""

    name: str
    text: str
    data: Any

    def line(self, path: Sequence[str | int]) -> int:
        """The line of what `path` leads to, or of the nearest thing around it that exists. From 1."""
        line = 1
        for key, value in self._walk(path):
            line = (key or value).start_mark.line + 1
        return line

    def written(self, path: Sequence[str | int]) -> str | None:
        """The scalar at `path` as it is written (1.30, not 1.3); None for anything else."""
        steps = list(self._walk(path))
        if len(steps) != len(path) + 1 or not isinstance(steps[-1][1], yaml.ScalarNode):
            return None
        return steps[-1][1].value

    @cached_property
    def _root(self) -> yaml.Node | None:
        return yaml.compose(self.text, _Safe)

    def _walk(self, path: Sequence[str | int]) -> Iterator[tuple[yaml.Node | None, yaml.Node]]:
        node = self._root
        if node is None:
            return
        yield None, node
        for step in path:
            key = None
            if isinstance(node, yaml.MappingNode):
                key, node = next((pair for pair in node.value if pair[0].value == step), (None, None))
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                node = None
            if node is None:
                return
            yield key, node


def read(root: Path, path: Path) -> Document:
    """Read one file. Raises `ConfigErrors` with file and line when it is not YAML; never repeats what it holds."""
    name = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8-sig")
        loader = _Loader(text)
        try:
            data = loader.get_single_data()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ConfigErrors([ConfigError(file=name, problem="is not text in UTF-8")]) from error
    except OSError as error:
        raise ConfigErrors([ConfigError(file=name, problem=f"cannot be read: {error.strerror}")]) from error
    except yaml.YAMLError as error:
        raise ConfigErrors([_syntax(name, error)]) from error
    except ValueError as error:
        # PyYAML makes dates of what looks like one, without a position when there is no such day.
        raise ConfigErrors([ConfigError(file=name, problem=f"is not valid YAML: {error}")]) from error
    return Document(name, text, data)


def _syntax(name: str, error: yaml.YAMLError) -> ConfigError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = [getattr(error, "context", None), getattr(error, "problem", None)]
    # Of a message, its words: PyYAML's own text would add a piece of the file.
    problem = ", ".join(words for words in said if words) or "a character that YAML does not allow"
    return ConfigError(
        file=name,
        line=mark.line + 1 if mark else None,
        problem=f"is not valid YAML: {problem}",
    )
