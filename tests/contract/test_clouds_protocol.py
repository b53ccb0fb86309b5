"""Every cloud speaks one protocol, in the same files, and nobody imports a cloud that is not used."""

from __future__ import annotations

import re
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest

import components
from components.clouds import CLOUDS, CloudApi
from components.spec import Cloud

ROOT = Path(components.__file__).parent
SDKS = {Cloud.AWS: "pulumi_aws", Cloud.AZURE: "pulumi_azure_native", Cloud.GCP: "pulumi_gcp"}
VERBS = [name for name in vars(CloudApi) if not name.startswith("_")]
COMMON = {"__init__", "provider", "labels", "network", "firewall", "cluster", "keys", "nodes", "identity"}
"""Files that every cloud has. A cloud may have more: its own kind of permissions, add-ons or logs."""


def test_the_protocol_has_verbs() -> None:
    assert {"provider", "network", "cluster", "workload_identity"} <= set(VERBS)


@pytest.mark.parametrize("cloud", Cloud)
@pytest.mark.parametrize("verb", VERBS)
def test_clouds_speak_one_protocol(cloud: Cloud, verb: str) -> None:
    wanted = [one for one in signature(getattr(CloudApi, verb)).parameters.values() if one.name != "self"]
    found = signature(getattr(CLOUDS[cloud], verb)).parameters.values()
    assert [(one.name, one.kind, one.annotation) for one in found] == [
        (one.name, one.kind, one.annotation) for one in wanted
    ]


@pytest.mark.parametrize("cloud", Cloud)
def test_clouds_export_the_protocol_and_nothing_more(cloud: Cloud) -> None:
    assert set(vars(CLOUDS[cloud])["__all__"]) == set(VERBS)


@pytest.mark.parametrize("cloud", Cloud)
def test_clouds_have_the_same_files(cloud: Cloud) -> None:
    assert {path.stem for path in (ROOT / cloud.value).glob("*.py")} >= COMMON


@pytest.mark.parametrize("cloud", Cloud)
def test_a_stack_on_one_cloud_loads_that_clouds_sdk_and_no_other(cloud: Cloud) -> None:
    program = (
        "import sys\n"
        "import components.network, components.cluster\n"
        "from components.clouds import CLOUDS\n"
        "from components.spec import Cloud\n"
        f"assert callable(CLOUDS[Cloud.{cloud.name}].cluster)\n"
        f"print(*[sdk for sdk in {sorted(SDKS.values())} if sdk in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT.parent, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == [SDKS[cloud]]


def test_only_one_file_maps_a_cloud_to_code() -> None:
    importing = [path.name for path in ROOT.rglob("*.py") if "import_module" in path.read_text(encoding="utf-8")]
    assert importing == ["clouds.py"]


@pytest.mark.parametrize("folder", ["components", "stacks"])
def test_nothing_asks_which_cloud_it_is_on(folder: str) -> None:
    """Differences are the clouds' own files, or tables by cloud; never branches."""
    asking = [
        f"{path.relative_to(ROOT.parent)}:{number}: {line.strip()}"
        for path in (ROOT.parent / folder).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"(==|!=|\bis|\bis not|\bin|\bcase) *\(?Cloud\.", line)
    ]
    assert asking == []
