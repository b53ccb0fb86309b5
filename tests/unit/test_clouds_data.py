"""The data of the simulated clouds, checked against itself and the installed SDKs: no name in it may be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.clouds import templates
from sandbox.clouds.behaviour import Behaviour, load_behaviour
from sandbox.clouds.catalogue import Catalogue, catalogue
from sandbox.clouds.schema import Properties, Property
from sandbox.facts.__main__ import PACKAGES, generate
from sandbox.facts.sdk import Sdk

TYPES = [(package, token) for package in PACKAGES for token in sorted(load_behaviour(package).resources)]


def _walk(book: Catalogue, properties: Properties, path: str) -> Property | None:
    """The property at a path of the data (`a.b[].c`), or None; anything below an unknown shape is fine."""
    prop: Property | None = None
    inside: Properties | None = properties
    for step in path.split("."):
        if inside is None:
            return prop
        prop = inside.get(step.removesuffix("[]"))
        if prop is None:
            return None
        if step.endswith("[]"):
            if prop.kind not in ("list", "map"):
                return None
            prop = prop.item
        inside = book.facts.inside(prop) if prop is not None and prop.kind in ("type", "list", "map") else None
    return prop


def _problems(book: Catalogue, behaviour: Behaviour) -> Iterator[str]:
    facts = book.facts.resources.get(behaviour.token)
    if facts is None:
        yield "no facts: run python -m sandbox.facts"
        return
    inherited = book.behaviour.common
    own: dict[str, str] = {}
    own |= {f"rules.{r.path}": r.path for r in behaviour.rules if r not in inherited.rules}
    own |= {f"references.{r.path}": r.path for r in behaviour.references if r not in inherited.references}
    own |= {f"compare.{p}": p for p in behaviour.compare if p not in inherited.compare}
    own |= {f"replace.{p}": p for p in behaviour.replace if p not in inherited.replace}
    own |= {f"exclusive.{p}": p for group in behaviour.exclusive for p in group}
    own |= {f"one_of.{p}": p for group in behaviour.one_of for p in group}
    own |= {f"defaults.{p}": p for p in behaviour.defaults}
    own |= {f"volatile.{p}": p for p in behaviour.volatile if p not in inherited.volatile}
    own |= {f"volatile of {o}: {c}": c for o, cs in behaviour.volatile.items() for c in cs if c != "*"}
    own |= {f"outputs.{p}": p for p in behaviour.outputs if p not in inherited.outputs}
    if behaviour.name_property:
        own["name"] = behaviour.name_property
    if behaviour.range:
        own["range"] = behaviour.range.path
    if behaviour.protection:
        own["protection"] = behaviour.protection.property
    for where, path in own.items():
        if _walk(book, facts.properties, path) is None:
            yield f"{where}: {behaviour.token} has no property {path}"
    for name, template in behaviour.outputs.items():
        prop = facts.properties.get(name)
        if prop is not None and prop.input and name not in inherited.outputs:
            yield f"outputs.{name} is an argument only"
        scalar = not isinstance(template, (dict, list))
        computed = prop is None or prop.output or prop.computed or name in inherited.outputs
        if book.behaviour.bridged and scalar and not computed:
            yield f"outputs.{name} is never computed: a provider's default belongs to defaults"
        yield from _template_problems(book, behaviour, f"outputs.{name}", template)
    for where in ("id", "scope", "location"):
        yield from _template_problems(book, behaviour, where, getattr(behaviour, where))
    for reference in behaviour.references:
        for token in reference.to:
            if token not in book.behaviour.resources:
                yield f"references.{reference.path}: no data for {token}"


def _template_problems(book: Catalogue, behaviour: Behaviour, where: str, template: Any) -> Iterator[str]:
    facts = book.facts.resources[behaviour.token]
    if (
        where.removeprefix("outputs.") in book.behaviour.common.outputs
        and where.removeprefix("outputs.") not in facts.properties
    ):
        return
    for word in templates.words(template):
        path = word.split(":", 1)[-1] if word.split(":", 1)[-1].startswith(("in.", "ref.")) else word
        own = where.removeprefix("outputs.") not in (*book.behaviour.common.outputs, "location", "scope")
        if own and path.startswith("in.") and _walk(book, facts.properties, path[3:]) is None:
            yield f"{where}: {{{word}}} names no property"
        if path.startswith("ref."):
            known = [r.path for r in behaviour.references if path[4:].startswith(f"{r.path}.")]
            if not known:
                yield f"{where}: {{{word}}} follows no reference"
                continue
            reference = next(r for r in behaviour.references if r.path == known[0])
            output = path[4:].removeprefix(f"{reference.path}.")
            for token in reference.to:
                if _walk(book, book.facts.resources[token].properties, output) is None:
                    yield f"{where}: {token} has no output {output}"


@pytest.mark.parametrize(("package", "token"), TYPES, ids=[token for _, token in TYPES])
def test_every_name_in_the_data_exists(package: str, token: str) -> None:
    book = catalogue(package)
    assert list(_problems(book, book.behaviour.resources[token])) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_facts_exist_for_exactly_the_types_with_behaviour(package: str) -> None:
    book = catalogue(package)
    assert set(book.facts.resources) == set(book.behaviour.resources)


@pytest.mark.parametrize(("package", "token"), TYPES, ids=[token for _, token in TYPES])
def test_arguments_are_those_of_the_installed_sdk(package: str, token: str, sdks: dict[str, Sdk]) -> None:
    declared = sdks[package].resource(token)
    facts = catalogue(package).facts.resources[token]
    assert set(facts.properties) == set(declared.properties)
    required = {name for name, shape in declared.properties.items() if "required" in shape.flags}
    assert {name for name, prop in facts.properties.items() if prop.required} == required


@pytest.fixture(scope="module")
def sdks() -> dict[str, Sdk]:
    return {package: Sdk(package) for package in PACKAGES}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_type_can_make_an_id_from_its_own_properties(package: str) -> None:
    book = catalogue(package)
    for token, behaviour in book.behaviour.resources.items():
        assert behaviour.id, token
        assert behaviour.adopts or re.search(r"\{(hex|digits|uuid|name|\w*:?in\.)", behaviour.id), token


@pytest.mark.parametrize("package", PACKAGES)
def test_facts_are_what_their_sources_give(package: str, schemas: Path) -> None:
    """Regenerating gives the same file."""
    written = (Path(__file__).parents[2] / "sandbox" / "data" / "facts" / f"{package}.json").read_text()
    assert generate(package, schemas) == written


@pytest.fixture(scope="module")
def schemas() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "schemas"
    if not folder.is_dir():
        pytest.skip("the schema folder is not beside the project")
    return folder
