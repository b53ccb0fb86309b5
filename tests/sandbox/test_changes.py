"""What a change of description does to what is up: no more than it says. And what the policy pack stops."""

from __future__ import annotations

import pytest

from tests.sandbox.checkout import Checkout

REGIONS = ("aws-usw2", "gcp-euw1", "azure-cin")
HARMLESS = {"create", "update", "same"}


def test_a_tenants_quota_is_one_update_in_each_region(described: Checkout) -> None:
    quota = {"cpu": "97", "memory": "384Gi", "storage": "8Ti", "pods": 600, "gpus": 16}
    described.edit("tenants/acme.yaml", quota=quota)
    assert described.steps("staging") == {
        f"staging.{region}.tenants-00": [("update", "kubernetes:core/v1:ResourceQuota", "acme-quota")]
        for region in REGIONS
    }


def test_a_label_of_everything_replaces_nothing_on_any_cloud(described: Checkout) -> None:
    platform = described.platform("staging")
    described.describe("staging", platform | {"labels": platform["labels"] | {"cost_center": "cc-2000"}})
    steps = described.steps("staging")
    assert set(steps) >= {f"staging.{region}" for region in REGIONS}
    for stack, found in steps.items():
        assert {op for op, _, _ in found} == {"update"}, (stack, [step for step in found if step[0] != "update"])


def test_a_new_tenant_changes_no_other(described: Checkout) -> None:
    tenant = (described.root / "tenants/globex.yaml").read_text()
    (described.root / "tenants/umbrella.yaml").write_text(
        tenant.replace("globex", "umbrella").replace("Globex", "Umbrella")
    )
    steps = described.steps("staging")
    assert set(steps) == {f"staging.{region}.tenants-00" for region in REGIONS}
    for found in steps.values():
        assert {op for op, _, _ in found} == {"create"}
        assert [name for _, _, name in found if not name.startswith("umbrella")] == []


WITHOUT_POLICY = """
import components.tenant_namespace as t
make = t.kubernetes.networking.v1.NetworkPolicy
def unless(name, **rest):
    return None if name == "acme-default-deny" else make(name, **rest)
t.kubernetes.networking.v1.NetworkPolicy = unless
"""
WITHOUT_QUOTA = """
import components.tenant_namespace as t
make = t.kubernetes.core.v1.ResourceQuota
def unless(name, **rest):
    return None if name == "acme-quota" else make(name, **rest)
t.kubernetes.core.v1.ResourceQuota = unless
"""
WITHOUT_OWNER = """
import sys
import components.azure
n = sys.modules["components.azure.network"]
encode = n.encode
def without(labels, component):
    return {key: value for key, value in encode(labels, component).items() if key != "owner"}
n.encode = without
"""
SPOILED = {
    "a NetworkPolicy": (
        "staging.azure-cin.tenants-00",
        WITHOUT_POLICY,
        ("Namespace acme", "[tenant-default-deny]", "add a NetworkPolicy"),
    ),
    "the quota": (
        "staging.azure-cin.tenants-00",
        WITHOUT_QUOTA,
        ("Namespace acme", "[tenant-quota]", "give it a ResourceQuota"),
    ),
    "a tag": ("staging.azure-cin", WITHOUT_OWNER, ("azure-native:network", "[required-labels]", "owner")),
}


@pytest.mark.parametrize("what", SPOILED)
def test_what_is_missing_blocks_the_preview_and_nothing_is_applied(described: Checkout, what: str) -> None:
    stack, spoil, told = SPOILED[what]
    main = described.root / "__main__.py"
    text = main.read_text()
    main.write_text(text.replace("import pulumi\n", f"import pulumi\n{spoil}", 1))
    with described.world() as world:
        before = world.revision()
        done = described.meridian("up", stack)
        assert world.revision() == before
    assert done.code == 1
    assert f"the policy pack blocks {stack}" in done.printed
    assert "nothing was applied" in done.printed
    for word in told:
        assert word in done.printed


def test_a_mistake_in_a_file_is_one_message_before_the_engine_starts(described: Checkout) -> None:
    described.edit("tenants/acme.yaml", teir="free")
    with described.world() as world:
        before = world.revision()
        done = described.meridian("up", "staging")
        assert world.revision() == before
    assert done.code == 2
    assert "tenants/acme.yaml" in done.printed
    assert "teir" in done.printed
    plain = described.shell("pulumi preview -s staging.aws-usw2 --non-interactive --color never || true")
    assert "tenants/acme.yaml" in plain.printed
    assert "Traceback" not in plain.printed
    assert " to create" not in plain.printed
