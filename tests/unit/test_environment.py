from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from components.spec import Cloud, ClusterSpec, NetworkSpec
from stacks.checks_catalogue import ageing
from stacks.environment import Region, environments, find, load
from stacks.errors import ConfigError, ConfigErrors
from stacks.slices import Slice

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "bad_input" / "project"
SHIPPED = environments(ROOT)


@pytest.fixture
def project(tmp_path):
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def tenant(project: Path, name: str, **more: object) -> None:
    text = yaml.safe_load((PROJECT / "tenants" / "acme.yaml").read_text(encoding="utf-8"))
    (project / "tenants" / f"{name}.yaml").write_text(yaml.safe_dump(text | {"id": name} | more), encoding="utf-8")


# What ships


def test_two_environments_ship():
    assert SHIPPED == ("prod", "staging")


@pytest.mark.parametrize("name", SHIPPED)
def test_each_has_one_region_on_each_cloud(name):
    environment = load(ROOT, name)

    assert [(region.cloud, region.location, region.role) for region in environment.regions] == [
        (Cloud.AWS, "us-west-2", "primary"),
        (Cloud.GCP, "europe-west1", "secondary"),
        (Cloud.AZURE, "centralindia", "tertiary"),
    ]
    assert all(region.protect is (name == "prod") for region in environment.regions)


def test_no_two_ranges_of_all_that_ships_overlap():
    networks = [region.network for name in SHIPPED for region in load(ROOT, name).regions]
    ranges: list[IPv4Network] = [r for network in networks for r in (network.range, network.pods, network.services)]

    assert len(ranges) == 18
    assert not [pair for pair in combinations(ranges, 2) if pair[0].overlaps(pair[1])]


def test_the_tenants_that_ship_differ_in_tier_owner_and_who_pays():
    tenants = load(ROOT, "staging").tenants

    assert len(tenants) == 3
    assert len({one.tier for one in tenants}) == len({one.owner for one in tenants}) == 3
    assert len({one.cost_center for one in tenants}) == 3


@pytest.mark.parametrize("name", SHIPPED)
def test_every_slice_that_ships_is_found_by_its_stack_name(name):
    for part in load(ROOT, name).slices():
        assert find(ROOT, part.stack_name)[1] == part


# What an environment knows


def test_slices_and_waves_follow_regions_and_tenants(project):
    tenant(project, "later", slice=7, regions=["europe"])
    environment = load(project, "staging")

    assert [str(part) for part in environment.slices()] == [
        "staging.west",
        "staging.west.platform",
        "staging.west.tenants-00",
        "staging.europe",
        "staging.europe.platform",
        "staging.europe.tenants-00",
        "staging.europe.tenants-07",
        "staging.india",
        "staging.india.platform",
        "staging.india.tenants-00",
    ]
    assert [[part.part for part in wave] for wave in environment.waves()] == [
        ["region"] * 3,
        ["platform"] * 3,
        ["tenants"] * 4,
    ]


def test_a_tenant_is_where_its_file_says(project):
    environment = load(project, "staging")

    def ids(region: str) -> list[str]:
        return [one.id for one in environment.tenants_of(Slice("staging", region, "tenants", 0))]

    assert {region: ids(region) for region in ("west", "europe", "india")} == {
        "west": ["acme", "globex"],
        "europe": ["acme"],
        "india": ["acme", "globex"],
    }
    assert [one.id for one in load(project, "prod").tenants] == ["acme"]


def test_another_tenant_moves_nobody(project):
    before = load(project, "staging")
    tenant(project, "aaa-first")
    after = load(project, "staging")

    assert before.slices() == after.slices()
    for part in before.slices():
        assert set(before.tenants_of(part)) <= set(after.tenants_of(part))


def test_labels_name_the_slice_and_who_pays(project):
    environment = load(project, "staging")
    labels = environment.labels_of(Slice("staging", "west", "platform"))

    assert labels.canonical("some-network") == {
        "project": "meridian",
        "environment": "staging",
        "stack": "staging.west.platform",
        "component": "some-network",
        "owner": "platform@meridian.example",
        "cost_center": "cc-1000",
        "managed_by": "pulumi",
    }


def test_an_environment_does_not_change(project):
    environment = load(project, "staging")

    with pytest.raises(ValidationError, match="frozen"):
        environment.regions = ()  # ty: ignore[invalid-assignment]


def test_a_project_without_tenants_is_right(project):
    shutil.rmtree(project / "tenants")

    environment = load(project, "staging")

    assert environment.tenants == ()
    assert Counter(part.part for part in environment.slices()) == {"region": 3, "platform": 3}


def test_what_the_engine_writes_into_a_file_of_that_name_does_no_harm(project):
    with (project / "Pulumi.staging.yaml").open("a", encoding="utf-8") as file:
        file.write("encryptionsalt: v1:abc\n")

    assert load(project, "staging").name == "staging"


def test_files_of_single_stacks_are_no_environments(project):
    (project / "Pulumi.staging.west.yaml").write_text("encryptionsalt: v1:abc\n", encoding="utf-8")

    assert environments(project) == ("prod", "staging")


def test_versions_near_their_end_of_support_are_warned_of_and_never_refused(project):
    regions = load(project, "staging").regions

    assert list(ageing(regions, date(2026, 11, 21))) == []
    assert list(ageing(regions, date(2027, 3, 1))) == [
        f"region {name}: Kubernetes 1.35 leaves standard support on {until} on {cloud}: set cluster.version to 1.36"
        for name, cloud, until in (
            ("west", "aws", "2027-03-27"),
            ("europe", "gcp", "2027-04-11"),
            ("india", "azure", "2027-03-31"),
        )
    ]
    assert "left standard support on 2027-03-27 on aws" in next(ageing(regions, date(2029, 1, 1)))


# What there is not


def message(function, *arguments) -> str:
    with pytest.raises(ConfigErrors) as caught:
        function(*arguments)
    return str(caught.value)


def test_an_unknown_environment_lists_those_that_there_are(project):
    assert message(load, project, "stagging") == (
        f'there is no environment "stagging": no file Pulumi.stagging.yaml in {project.resolve()}\n'
        "  did you mean: staging\n  accepted: prod, staging"
    )


def test_a_folder_without_any_environment_says_so(tmp_path):
    assert message(load, tmp_path, "staging").endswith("accepted: nothing")


def test_an_unknown_stack_lists_those_that_there_are(project):
    text = message(find, project, "staging.wst.platform")

    assert text.startswith('environment staging has no stack "staging.wst.platform"')
    assert "did you mean: staging.west.platform" in text
    assert "staging.india.tenants-00" in text


def test_an_environment_is_not_a_stack(project):
    text = message(find, project, "staging")

    assert text.startswith('"staging" is an environment, not a stack: a stack is a slice of one')
    assert "pulumi stack rm staging --preserve-config" in text
    assert "accepted: staging.west, staging.west.platform, " in text
    assert "did you mean" not in text


def test_a_slice_without_tenants_is_no_stack_and_one_that_has_lost_them_can_go(project):
    assert message(find, project, "staging.west.tenants-01").startswith(
        'environment staging has no stack "staging.west.tenants-01": no tenant has that slice '
        "(if its last one has gone: pulumi destroy -s staging.west.tenants-01)"
    )


def test_a_file_whose_name_no_stack_could_bear_is_no_environment(project):
    (project / "Pulumi.x.yaml").write_text("config: {}\n", encoding="utf-8")

    assert "x" not in environments(project)
    assert 'no environment "x": Pulumi.x.yaml is there, but a name has 2 to 24' in message(load, project, "x")


# What must be told at once


def test_all_problems_of_all_files_are_told_at_once(project):
    staging = project / "Pulumi.staging.yaml"
    text = staging.read_text(encoding="utf-8")
    text = text.replace("cost_center: cc-1000", "cost_centre: cc-1000").replace("role: tertiary", "role: fourth")
    staging.write_text(text.replace("pods: 100.68.0.0/16", "pods: 100.64.0.0/16"), encoding="utf-8")
    (project / "tenants" / "acme.yaml").write_text("id: [\n", encoding="utf-8")
    (project / "tenants" / "extra.yml").write_text("id: extra\n", encoding="utf-8")
    (project / "tenants" / "folder").mkdir()
    (project / "tenants" / ".#acme.yaml").symlink_to("nowhere")
    tenant(project, "other", regions=["nowhere"])

    told = message(load, project, "staging")

    assert told.startswith("7 problems:\n")
    for part in (
        "Pulumi.staging.yaml:3: labels.cost_center: is missing",
        "Pulumi.staging.yaml:5: labels.cost_centre: unknown key\n  did you mean: cost_center",
        "Pulumi.staging.yaml:26: regions.europe.network.pods: 100.64.0.0/16 overlaps 100.64.0.0/16, pods of west",
        "Pulumi.staging.yaml:32: regions.india.role: fourth is not accepted",
        "tenants/acme.yaml:2: is not valid YAML",
        "tenants/extra.yml: is not read: name it .yaml",
        "tenants/folder: is not read: tenants have no folders",
    ):
        assert part in told


def test_mistakes_in_another_environment_are_its_own_affair(project):
    (project / "Pulumi.prod.yaml").write_text("config: [", encoding="utf-8")

    assert load(project, "staging").name == "staging"


def test_a_slice_holds_25_tenants(project):
    for number in range(24):
        tenant(project, f"one-{number:02d}")
    assert len(load(project, "prod").tenants) == 25

    tenant(project, "one-24", slice=3)
    assert len(load(project, "prod").tenants) == 26

    tenant(project, "one-25", slice=0)
    told = message(load, project, "prod")
    assert told.startswith(
        "tenants/one-25.yaml:13: slice: slice 0 would hold 26 tenants in one region, 25 at most\n"
        "  accepted: slice: 1 has room"
    )


def test_a_thousand_tenants_are_read_in_a_moment(project):
    for number in range(1000):
        tenant(project, f"one-{number:04d}", slice=1 + number // 25)

    assert len(load(project, "staging").tenants) == 1002


WRONG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
PLACES = [
    (),
    ("config",),
    ("config", "meridian:platform"),
    ("config", "meridian:platform", "labels"),
    ("config", "meridian:platform", "regions"),
    ("config", "meridian:platform", "regions", 1),
    *(("config", "meridian:platform", "regions", 1, key) for key in Region.model_fields),
    *(("config", "meridian:platform", "regions", 1, "network", key) for key in NetworkSpec.model_fields),
    *(("config", "meridian:platform", "regions", 1, "cluster", key) for key in ClusterSpec.model_fields),
]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), wrong=WRONG)
def test_whatever_is_written_ends_in_an_environment_or_in_a_message(place, wrong, tmp_path):
    whole = {"": yaml.safe_load((PROJECT / "Pulumi.staging.yaml").read_text(encoding="utf-8"))}
    parent = whole
    key = ""
    for step in place:
        parent, key = parent[key], step
        if key == "cluster":
            parent.setdefault("cluster", {})
    parent[key] = wrong
    (tmp_path / "Pulumi.staging.yaml").write_text(yaml.safe_dump(whole[""], allow_unicode=True), encoding="utf-8")

    assert all(error.file == "Pulumi.staging.yaml" and error.problem for error in problems(tmp_path))


def problems(project: Path) -> tuple[ConfigError, ...]:
    try:
        load(project, "staging")
    except ConfigErrors as errors:
        return errors.errors
    return ()
