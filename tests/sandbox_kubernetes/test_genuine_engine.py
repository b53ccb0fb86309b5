"""The genuine engine with the stand-in provider: what a refresh, an import and a lost object look like to people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.kubernetes.objects import manager_of
from tests.sandbox_kubernetes.conftest import Sandbox
from tests.sandbox_kubernetes.engine import kubeconfig
from toolchain.programs import Programs

pytestmark = pytest.mark.engine

PROGRAM = """
import os
import pulumi
import pulumi_kubernetes as k8s

inside = pulumi.ResourceOptions(provider=k8s.Provider("cluster", kubeconfig=os.environ["CONFIG"]))
namespace = k8s.core.v1.Namespace("trial", metadata={"name": "trial"}, opts=inside)
where = {"namespace": namespace.metadata.name}
quota = k8s.core.v1.ResourceQuota(
    "quota", metadata={"name": "quota", **where}, opts=inside,
    spec={"hard": {"pods": os.environ.get("PODS", "10"), "requests.cpu": "1000m"}},
)
k8s.core.v1.ConfigMap("settings", metadata=where, data={"a": os.environ.get("SETTING", "1")}, opts=inside)
secret = k8s.core.v1.Secret(
    "secret", metadata=where, string_data={"word": pulumi.Output.secret("hush-hush")}, opts=inside
)
pulumi.export("hard", quota.status.hard)
pulumi.export("data", secret.data)
"""


@dataclass(frozen=True)
class Pulumi:
    """The command in a project of its own."""

    command: Path
    project: Path
    variables: dict[str, str]

    def __call__(self, *arguments: str, fails: bool = False, **variables: str) -> str:
        done = subprocess.run(
            [self.command, *arguments, "--non-interactive"],
            cwd=self.project, env={**self.variables, **variables}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def outputs(self) -> dict[str, Any]:
        return json.loads(self("stack", "output", "--json", "--show-secrets"))


@pytest.fixture
def pulumi(programs: Programs, sandbox: Sandbox, tmp_path: Path) -> Pulumi:
    (tmp_path / "backend").mkdir()
    project = tmp_path / "a project"
    project.mkdir()
    settings = {"name": "python", "options": {"virtualenv": sys.prefix}}
    (project / "Pulumi.yaml").write_text(json.dumps({"name": "trial", "runtime": settings}))
    (project / "__main__.py").write_text(PROGRAM)
    folders = [programs.language_host_dir, programs.pulumi.parent, os.environ["PATH"]]
    variables = {
        "PATH": os.pathsep.join(str(folder) for folder in folders if folder),
        "HOME": str(tmp_path),
        "CONFIG": kubeconfig(sandbox.endpoint),
        "PULUMI_DEBUG_PROVIDERS": f"kubernetes:{sandbox.port}",
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
        "PULUMI_HOME": str(tmp_path / "pulumi"),
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    command = Pulumi(programs.pulumi, project, variables)
    command("stack", "init", "trial")
    return command


def test_the_life_of_a_stack(pulumi: Pulumi, sandbox: Sandbox) -> None:
    api = sandbox.api()
    assert "+ 6 created" in pulumi("up", "--yes", "--skip-preview")
    assert pulumi.outputs()["hard"] == {"pods": "10", "requests.cpu": "1"}
    assert pulumi.outputs()["data"] == {"word": "aHVzaC1odXNo"}
    state = pulumi("stack", "export")
    assert "hush-hush" not in state
    assert "aHVzaC1odXNo" not in state
    pulumi("preview", "--expect-no-changes")
    pulumi("refresh", "--yes", "--expect-no-changes")

    # An update in place, and a replacement whose new object comes first.
    shown = pulumi("preview", "--diff", PODS="20", SETTING="2")
    assert '~ pods: "10" => "20"' in shown
    assert "+-1 to replace" in shown
    pulumi("up", "--yes", "--skip-preview", PODS="20", SETTING="2")
    assert pulumi.outputs()["hard"]["pods"] == "20"

    # Somebody changes the quota by hand: a refresh shows it, an update takes it back.
    quota = api.get("v1", "ResourceQuota", "trial", "quota")
    assert quota
    by_hand = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota", "namespace": "trial"}}
    api.apply({**by_hand, "spec": {"hard": {"pods": "99"}}}, manager="kubectl", force=True)
    assert '~ pods: "20" => "99"' in pulumi("refresh", "--preview-only", "--diff")
    pulumi("up", "--refresh", "--yes", "--skip-preview", PODS="20", SETTING="2")
    assert pulumi.outputs()["hard"]["pods"] == "20"

    # The state loses an object that exists: it is not made again over what is there, but imported.
    pulumi("state", "delete", "urn:pulumi:trial::trial::kubernetes:core/v1:ResourceQuota::quota", "--yes")
    assert "exists already in the cluster" in pulumi(
        "up", "--yes", "--skip-preview", fails=True, PODS="20", SETTING="2"
    )
    provider = "cluster=urn:pulumi:trial::trial::pulumi:providers:kubernetes::cluster"
    pulumi(
        "import", "kubernetes:core/v1:ResourceQuota", "quota", "trial/quota", "--provider", provider,
        "--yes", "--protect=false", "--generate-code=false",
    )  # fmt: skip
    pulumi("preview", "--expect-no-changes", PODS="20", SETTING="2")
    again = api.get("v1", "ResourceQuota", "trial", "quota")
    assert again
    assert again["metadata"]["uid"] == quota["metadata"]["uid"]
    assert manager_of(again) == manager_of(quota)

    pulumi("destroy", "--yes", "--skip-preview")
    assert api.get("v1", "Namespace", "", "trial") is None
