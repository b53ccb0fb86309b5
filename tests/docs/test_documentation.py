"""What the documentation names exists, and every requirement has its line."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ROWS_PER_AREA = {
    "A": 14, "B": 11, "C": 9, "D": 15, "E": 8, "F": 11, "G": 11, "H": 11, "I": 12, "J": 10, "K": 5, "L": 7, "M": 9,
    "N": 9, "O": 6, "P": 11, "Q": 15, "R": 9, "S": 6, "T": 12, "U": 19, "V": 9, "W": 15, "X": 6, "Y": 7, "Z": 6,
}  # fmt: skip


def coverage_rows() -> list[tuple[str, str, str]]:
    """(row, where, test) for each line of the table in docs/coverage.md."""
    text = (ROOT / "docs/coverage.md").read_text()
    found = re.findall(r"^\| ([A-Z]\d\d) \| [^|]* \| ([^|]*) \| ([^|]*) \|$", text, flags=re.MULTILINE)
    return [(row, where.strip(), test.strip()) for row, where, test in found]


ROWS = coverage_rows()
REALISED = [row for row in ROWS if row[1] != "not yet"]


def functions_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def test_every_requirement_has_exactly_one_line():
    names = [row for row, _, _ in ROWS]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert Counter(name[0] for name in names) == ROWS_PER_AREA


@pytest.mark.parametrize(("row", "where", "test"), REALISED, ids=[row for row, _, _ in REALISED])
def test_what_a_realised_row_names_exists(row: str, where: str, test: str):
    places = re.findall(r"`([^`]+)`", where)
    tests = re.findall(r"`([^`]+)`", test)
    assert places, f"{row} says nothing of where"
    assert tests, f"{row} names no test"
    for place in places:
        assert (ROOT / place).exists(), f"{row}: {place} does not exist"
    for name in tests:
        path, _, function = name.partition("::")
        assert (ROOT / path).is_file(), f"{row}: {path} does not exist"
        assert not function or function in functions_in(ROOT / path), f"{row}: {name} does not exist"


@pytest.mark.parametrize(("row", "where", "test"), [r for r in ROWS if r[1] == "not yet"], ids=lambda v: v[:3])
def test_what_is_not_yet_done_claims_nothing(row: str, where: str, test: str):
    assert test == "", f"{row} is not yet done but names a test"


def test_there_are_pages():
    assert len(PAGES) > 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (page.parent / target).exists()] == []
