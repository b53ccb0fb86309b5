"""The pack under the genuine engine: what it blocks, and when."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.policy.baseline import DELETED, TAGS, resource, spoiled, tenant, without
from tests.policy.engine import FROM_AN_OUTPUT, FROM_THE_NAMESPACE, Engine, serving
from tests.policy.process import PACK
from toolchain.programs import Programs

pytestmark = pytest.mark.engine

ACME = tenant("acme")
BUCKET = resource("aws:s3/bucket:Bucket", "logs", {"tags": TAGS})
ALL = [BUCKET, *ACME]


@pytest.fixture
def engine(programs: Programs, tmp_path: Path) -> Generator[Engine]:
    with serving() as ports:
        yield Engine(programs, tmp_path, ports)


def test_the_first_preview_of_an_empty_world_is_judged(engine: Engine) -> None:
    engine.declare(ALL)
    preview = engine.preview()
    assert preview.code == 0, preview.text
    assert "can't run policy" not in preview.text

    for kind, name, rule, fix in [
        ("NetworkPolicy", "default-deny", "tenant-default-deny", "add a NetworkPolicy with an empty podSelector"),
        ("ResourceQuota", "quota", "tenant-quota", "give it a ResourceQuota"),
    ]:
        engine.declare(without(ALL[1:], kind, name))
        blocked = engine.preview()
        assert blocked.code != 0
        assert f"[{rule}] Namespace cluster-tenant-acme: " in blocked.text
        assert fix in blocked.text
        assert "[mandatory]" in blocked.text

    engine.declare([spoiled(BUCKET, ("tags", "cost_center"), DELETED), *ACME])
    blocked = engine.preview()
    assert blocked.code != 0
    assert "[required-labels] Bucket logs: tags lacks cost_center; pass the component's labels" in blocked.text


def test_an_existing_world_is_judged(engine: Engine) -> None:
    engine.declare(ALL)
    up = engine.up()
    assert up.code == 0, up.text

    engine.declare([BUCKET, *without(ACME, "NetworkPolicy", "allow-dns")])
    blocked = engine.preview()
    assert blocked.code != 0
    assert "[tenant-openings] Namespace cluster-tenant-acme: has no NetworkPolicy that lets its pods" in blocked.text


def test_a_state_is_judged_without_its_program_and_by_other_settings(engine: Engine, tmp_path: Path) -> None:
    engine.declare(ALL)
    assert engine.run("up", "--yes", "--skip-preview").code == 0
    assert engine.run("policy", "analyze", "--policy-pack", str(PACK)).code == 0

    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"resources-mandatory": {"requiredLabels": ["team"]}}))
    refused = engine.run("policy", "analyze", "--policy-pack", str(PACK), "--policy-pack-config", str(settings))
    assert refused.code != 0
    assert "[required-labels] Bucket logs: tags lacks team" in refused.text

    engine.declare([BUCKET, *without(ACME, "LimitRange", "limits")])
    assert engine.run("up", "--yes", "--skip-preview").code == 0
    refused = engine.run("policy", "analyze", "--policy-pack", str(PACK))
    assert refused.code != 0
    assert "[tenant-limits] Namespace cluster-tenant-acme: has no LimitRange" in refused.text


def test_unknown_tags_pass_a_preview_and_are_decided_on_up(engine: Engine) -> None:
    unknown = spoiled(BUCKET, ("tags",), FROM_AN_OUTPUT)
    engine.declare([unknown, *ACME])
    preview = engine.preview()
    assert preview.code == 0, preview.text
    up = engine.up("--skip-preview")  # then the tags are a word, not a map
    assert up.code != 0
    assert "[required-labels] Bucket logs: tags lacks project, environment" in up.text


def test_objects_in_a_namespace_that_is_not_known_yet_are_placed(engine: Engine) -> None:
    home, *inside = ACME
    moved = [home, *(spoiled(one, ("metadata", "namespace"), FROM_THE_NAMESPACE) for one in inside)]
    engine.declare(moved)
    preview = engine.preview()
    assert preview.code == 0, preview.text
    engine.declare(without(moved, "ResourceQuota", "quota"))
    blocked = engine.preview()
    assert blocked.code != 0
    assert "[tenant-quota]" in blocked.text
