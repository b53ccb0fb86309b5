"""What the documentation names exists, and every requirement has its line."""

from __future__ import annotations

import ast
import re
import shutil
import textwrap
from collections import Counter
from pathlib import Path

import pytest
import yaml

from stacks.environment import load

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


def example(page: str) -> str:
    """The first YAML block of a page, without its indentation."""
    found = re.search(r"```yaml\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    assert found, f"{page} shows no YAML"
    return textwrap.dedent(re.sub(r"^   ", "", found[1], flags=re.MULTILINE))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that people write, to be changed at will."""
    for file in ROOT.glob("Pulumi.*.yaml"):
        if file.stem.count(".") == 1:
            shutil.copy(file, tmp_path)
    shutil.copytree(ROOT / "tenants", tmp_path / "tenants")
    return tmp_path


def test_the_guides_example_of_a_tenant_can_be_used_as_it_is(copy: Path):
    text = example("docs/guides/add-a-tenant.md")
    identifier = yaml.safe_load(text)["id"]
    (copy / f"tenants/{identifier}.yaml").write_text(text)
    assert identifier in {tenant.id for tenant in load(copy, "staging").tenants}


def test_the_guides_example_of_a_region_can_be_used_as_it_is(copy: Path):
    text = example("docs/guides/add-a-region.md")
    with (copy / "Pulumi.staging.yaml").open("a") as file:
        file.write(textwrap.indent(text, "      "))
    (name,) = [region["name"] for region in yaml.safe_load(text)]
    assert name in {region.name for region in load(copy, "staging").regions}


def test_the_readme_shows_what_the_project_holds():
    shown = re.findall(r"```yaml\n# (\S+)[^\n]*\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert [file for file, _ in shown] == ["Pulumi.staging.yaml", "tenants/globex.yaml"]
    regions = yaml.safe_load((ROOT / "Pulumi.staging.yaml").read_text())["config"]["meridian:platform"]["regions"]
    (region,) = yaml.safe_load(shown[0][1])
    held = next(one for one in regions if one["name"] == region["name"])
    assert {key: held[key] for key in region if key != "cluster"} == {k: v for k, v in region.items() if k != "cluster"}
    assert yaml.safe_load(shown[1][1]) == yaml.safe_load((ROOT / "tenants/globex.yaml").read_text())
