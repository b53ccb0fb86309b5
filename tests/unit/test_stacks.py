"""The real stacks of every environment that ships, registered against a backend without an engine."""

from __future__ import annotations

import gc
import json
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.outputs import IdentityEndpoint
from stacks.deploy import deploy, outputs_of
from stacks.environment import environments, load
from stacks.errors import ConfigErrors
from stacks.exports import FORMAT, plain
from stacks.slices import Slice
from tests.backend import REFERENCE, Backend, Made, Value, run

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = {name: load(ROOT, name) for name in environments(ROOT)}
SLICES = [part for environment in ENVIRONMENTS.values() for part in environment.slices()]
STAGING = [part for part in SLICES if part.environment == "staging"]
SDK = {"aws": "pulumi_aws", "azure": "pulumi_azure_native", "gcp": "pulumi_gcp"}
PROVIDERS = {"aws": "pulumi:providers:aws", "azure": "pulumi:providers:azure-native", "gcp": "pulumi:providers:gcp"}
KUBERNETES = "pulumi:providers:kubernetes"

STATE = {
    "format": FORMAT,
    "cluster_name": "somewhere",
    "cluster_version": "1.35.4",
    "cluster_kubeconfig": "apiVersion: v1",
    "cluster_oidc_issuer": "https://issuer.example/id",
    "cluster_identity_anchor": "arn:aws:iam::111122223333:role/tenants",
    "cluster_identity_endpoints": [plain(IdentityEndpoint(cidr="169.254.170.23/32", ports=(80,)))],
    "cluster_storage_class": "encrypted",
    "platform_system_namespace": "platform-system",
    "platform_priority_classes": ["platform", "tenant"],
}


def everything_up() -> Backend:
    """A backend in which every slice is up."""
    return Backend({str(part): STATE for part in SLICES}, secrets=("cluster_kubeconfig",))


def register(part: Slice, backend: Backend, *, preview: bool = True) -> tuple[dict[str, Any], list[Made]]:
    environment = ENVIRONMENTS[part.environment]
    return run(backend, lambda: outputs_of(environment, part), preview=preview)


@cache
def registered(part: Slice, *, preview: bool = True) -> tuple[dict[str, Any], list[Made]]:
    """The slice when all others are up; registered once for all tests."""
    return register(part, everything_up(), preview=preview)


def cloud_of(part: Slice) -> str:
    return ENVIRONMENTS[part.environment].region(part.region).cloud.value


@pytest.mark.parametrize("part", SLICES, ids=str)
def test_providers_are_explicit_without_parent_and_named_alike(part):
    _, made = registered(part)

    providers = {one.name: (one.type, one.parent) for one in made if one.type.startswith("pulumi:providers:")}
    expected = {
        "region": {"cloud": PROVIDERS[cloud_of(part)]},
        "platform": {"cluster": KUBERNETES},
        "tenants": {"cloud": PROVIDERS[cloud_of(part)], "cluster": KUBERNETES},
    }
    assert {name: type_ for name, (type_, _) in providers.items()} == expected[part.part]
    assert {parent.split("::")[2] for _, parent in providers.values()} <= {"pulumi:pulumi:Stack"}

    urns = [one.urn for one in made if one.type.startswith("pulumi:providers:")]
    for one in made:
        custom = not one.type.startswith(("meridian:", "pulumi:"))
        if custom:
            assert any(one.provider.startswith(urn) for urn in urns), f"{one.urn} has no explicit provider"


@pytest.mark.parametrize("part", SLICES, ids=str)
def test_a_slice_holds_its_own_layer_only(part):
    _, made = registered(part)

    components = {one.type.rpartition(":")[2] for one in made if one.type.startswith("meridian:components:")}
    kubernetes = [one for one in made if one.type.startswith("kubernetes:")]
    expected = {
        "region": {"Network", "Cluster"},
        "platform": {"PlatformNamespaces"},
        "tenants": {"TenantNamespace"},
    }
    assert components == expected[part.part]
    assert bool(kubernetes) is (part.part != "region")


@pytest.mark.parametrize("part", SLICES, ids=str)
def test_a_slice_reads_what_it_builds_on_and_nothing_else(part):
    _, made = registered(part)

    assert {one.name for one in made if one.type == REFERENCE} == {str(one) for one in part.upstream}


@pytest.mark.parametrize("part", [one for one in SLICES if one.part == "region"], ids=str)
def test_only_the_cluster_is_protected_and_only_where_the_region_says_so(part):
    _, made = registered(part)

    protected = {one.type for one in made if one.protect}
    assert ("meridian:components:Cluster" in protected) is (part.environment == "prod")
    if part.environment == "staging":
        assert not protected


@pytest.mark.parametrize("part", [one for one in STAGING if one.part == "region"], ids=str)
def test_a_region_exports_what_other_slices_read(part):
    outputs, _ = registered(part, preview=False)

    assert {name for name in STATE if name.startswith(("format", "cluster_"))} <= set(outputs)
    assert outputs["format"] == FORMAT
    assert outputs["region"]["name"] == part.region
    secret = [name for name, value in outputs.items() if isinstance(value, Value) and value.secret]
    assert secret == ["cluster_kubeconfig"]


@pytest.mark.parametrize("part", [one for one in STAGING if one.part == "tenants"], ids=str)
def test_a_tenants_slice_names_its_tenants(part):
    outputs, made = registered(part, preview=False)

    assert sorted(outputs["tenants"]) == ["acme", "globex", "initech"]
    namespaces = {one.props["metadata"]["name"] for one in made if one.type == "kubernetes:core/v1:Namespace"}
    assert namespaces == {"tenant-acme", "tenant-globex", "tenant-initech"}


@pytest.mark.parametrize("part", [one for one in STAGING if one.part != "region"], ids=str)
def test_the_first_preview_of_an_empty_world_shows_every_resource(part):
    _, later = registered(part)
    _, first = register(part, Backend())

    assert [one for one in first if one.type == REFERENCE] == []
    assert {(one.type, one.name) for one in first} == {(one.type, one.name) for one in later if one.type != REFERENCE}


@pytest.mark.parametrize("part", [one for one in STAGING if one.part != "region"], ids=str)
def test_an_update_before_its_region_registers_nothing(part):
    with pytest.raises(ConfigErrors) as caught:
        register(part, Backend(), preview=False)
    first = part.upstream[0]
    assert str(caught.value) == f"stack {first} is not up yet: run `meridian up {first}` first"


def test_a_tenants_slice_waits_for_its_platform_too():
    part = Slice("staging", "aws-usw2", "tenants", 0)
    backend = Backend({"staging.aws-usw2": STATE})

    with pytest.raises(ConfigErrors, match=r"stack staging\.aws-usw2\.platform is not up yet"):
        register(part, backend, preview=False)


# The program as the engine runs it


def program(stack: str) -> str:
    """What is said of a stack by the program that the engine runs, before anything is registered."""
    with pytest.raises(pulumi.RunError) as caught:
        deploy(ROOT, stack)
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_the_program_raises_one_error_with_the_whole_message():
    assert program("stagging.aws-usw2").startswith('there is no environment "stagging"')
    assert program("staging").startswith('"staging" is an environment, not a stack')
    assert "did you mean: staging.aws-usw2.platform" in program("staging.aws-usw2.platfrom")


def test_the_main_program_is_fifteen_lines_at_most():
    assert len((ROOT / "__main__.py").read_text(encoding="utf-8").splitlines()) <= 15


def test_the_collector_is_off_while_resources_are_registered(monkeypatch):
    seen = []
    frozen = []
    monkeypatch.setattr("stacks.deploy.deploy", lambda root, stack: seen.append((root, stack, gc.isenabled())))
    monkeypatch.setattr("atexit.register", frozen.append)
    monkeypatch.setattr("pulumi.get_stack", lambda: "staging.aws-usw2")
    try:
        runpy.run_path(str(ROOT / "__main__.py"))
    finally:
        gc.enable()

    assert seen == [(ROOT, "staging.aws-usw2", False)]
    assert frozen == [gc.freeze]


_LOADED = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.unit.test_stacks import Slice, registered
from stacks.slices import Slice
for name in {sdks!r}:
    assert name not in sys.modules, name
registered(Slice.parse(sys.argv[2]))
print(json.dumps([name for name in {sdks!r} if name in sys.modules]))
"""


@pytest.mark.parametrize(
    "part", [one for one in STAGING if one.part != "platform" or one.region == "aws-usw2"], ids=str
)
def test_a_slice_loads_the_sdk_of_its_own_cloud_and_no_other(part):
    code = _LOADED.format(sdks=[*SDK.values(), "pulumi_kubernetes"])
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT), str(part)], capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr
    expected = {
        "region": [SDK[cloud_of(part)]],
        "platform": ["pulumi_kubernetes"],
        "tenants": [SDK[cloud_of(part)], "pulumi_kubernetes"],
    }
    assert json.loads(done.stdout.splitlines()[-1]) == expected[part.part]
