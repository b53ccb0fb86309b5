"""The pack in its own process, through the SDK's own proxies: what pure rules cannot show."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import pytest
from pulumi.runtime.proto import analyzer_pb2

from policies.rules import RESOURCE_RULES, STACK_RULES, Settings
from policies.rules.values import UNKNOWN
from tests.policy.baseline import DELETED, TAGS, named, resource, spoil, spoiled, tenant, without
from tests.policy.process import Pack, serving

ACME = tenant("acme")
BUCKET = resource("aws:s3/bucket:Bucket", "logs", {"tags": TAGS})


@pytest.fixture
def pack() -> Generator[Pack]:
    with serving() as running:
        yield running


def test_one_resource_and_one_stack_policy_for_each_level(pack: Pack) -> None:
    levels = {rule.level for rule in (*RESOURCE_RULES, *STACK_RULES)}
    names = {(policy.name, policy.policy_type, policy.enforcementLevel) for policy in pack.info().policies}
    assert len(names) == 2 * len(levels)
    assert names == {
        ("resources-mandatory", analyzer_pb2.POLICY_TYPE_RESOURCE, analyzer_pb2.MANDATORY),
        ("stack-mandatory", analyzer_pb2.POLICY_TYPE_STACK, analyzer_pb2.MANDATORY),
    }


def test_the_settings_and_their_defaults_are_told_to_the_engine(pack: Pack) -> None:
    for policy in pack.info().policies:
        assert dict(policy.configSchema.properties) == Settings.schema() | {}


@pytest.mark.parametrize("shown", [True, False], ids=["cluster exists", "first preview of an empty world"])
def test_a_compliant_program_passes(pack: Pack, shown: bool) -> None:
    assert pack.run([BUCKET, *ACME], shown=shown) == []


@pytest.mark.parametrize("shown", [True, False], ids=["cluster exists", "first preview of an empty world"])
@pytest.mark.parametrize(
    ("kind", "name", "rule", "fix"),
    [
        ("NetworkPolicy", "default-deny", "tenant-default-deny", "add a NetworkPolicy with an empty podSelector"),
        ("NetworkPolicy", "allow-dns", "tenant-openings", "allow egress on UDP and TCP 53"),
        ("ResourceQuota", "quota", "tenant-quota", "give it a ResourceQuota"),
    ],
)
def test_a_missing_wall_blocks(pack: Pack, kind: str, name: str, rule: str, fix: str, shown: bool) -> None:
    resources = without(ACME, kind, name)
    said = pack.run(resources, shown=shown)
    assert said
    for diagnostic in said:
        assert diagnostic.enforcementLevel == analyzer_pb2.MANDATORY
        assert diagnostic.urn == named(ACME, "Namespace", "tenant-acme").urn
        assert f"[{rule}] Namespace cluster-tenant-acme: " in diagnostic.message
        assert fix in diagnostic.message


def test_a_missing_tag_blocks_as_soon_as_it_is_declared(pack: Pack) -> None:
    (said,) = pack.resource(spoiled(BUCKET, ("tags", "owner"), DELETED))
    assert said.enforcementLevel == analyzer_pb2.MANDATORY
    assert said.urn == BUCKET.urn
    assert "[required-labels] Bucket logs: tags lacks owner; pass the component's labels" in said.message


@pytest.mark.parametrize("path", [("tags",), ("tags", "owner")])
def test_unknown_tags_neither_stop_the_pack_nor_accuse(pack: Pack, path: tuple[str, ...]) -> None:
    unknown = spoiled(BUCKET, path, UNKNOWN)
    assert pack.resource(unknown) == []
    assert pack.resource(BUCKET) == []  # the update, with the tags in place
    assert len(pack.resource(spoiled(BUCKET, ("tags", "owner"), DELETED))) == 1


def test_an_unknown_value_does_not_keep_other_rules_from_speaking(pack: Pack) -> None:
    resources = spoil(
        without(ACME, "ResourceQuota", "quota"), "RoleBinding", "tenant-developers", ("subjects",), UNKNOWN
    )
    (said,) = pack.run(resources, shown=False)
    assert "[tenant-quota]" in said.message


def test_an_unknown_namespace_is_found_by_its_dependency(pack: Pack) -> None:
    home = named(ACME, "Namespace", "tenant-acme")
    moved = [
        one
        if one is home
        else replace(spoiled(one, ("metadata", "namespace"), UNKNOWN), depends_on={"metadata": (home.urn,)})
        for one in ACME
    ]
    assert pack.run(moved, shown=False) == []
    (said,) = pack.run(without(moved, "ResourceQuota", "quota"), shown=False)
    assert "[tenant-quota]" in said.message


def test_a_state_without_a_program_is_judged_by_what_is_shown(pack: Pack) -> None:
    assert pack.stack(ACME, shown=True) == []
    (said,) = pack.stack(without(ACME, "ResourceQuota", "quota"), shown=True)
    assert "[tenant-quota]" in said.message


def test_the_required_labels_can_be_set(pack: Pack) -> None:
    pack.configure("resources-mandatory", requiredLabels=["team"])
    (said,) = pack.resource(BUCKET)
    assert "tags lacks team" in said.message
