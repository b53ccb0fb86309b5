"""The genuine engine with the simulated clouds: the life of a stack as people see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.clouds.server import CloudServer
from sandbox.world import Resource, World
from tests.sandbox_clouds.conftest import ACCOUNT
from toolchain.programs import Programs

pytestmark = pytest.mark.engine

PROGRAM = f"""
import os
import pulumi
from pulumi_aws import Provider, ec2, eks, iam

cloud = Provider("cloud", region="us-west-2", allowed_account_ids=["{ACCOUNT}"])
there = pulumi.ResourceOptions(provider=cloud)
tags = {{"team": os.environ.get("TEAM", "a")}}
vpc = ec2.Vpc("net", cidr_block=os.environ.get("RANGE", "10.0.0.0/16"), tags=tags, opts=there)
inner = vpc.cidr_block.apply(lambda r: r.replace("/16", "/24"))
subnet = ec2.Subnet("one", vpc_id=vpc.id, cidr_block=inner, opts=there)
role = iam.Role("control", assume_role_policy="{{}}", description=pulumi.Output.secret("hush-hush"), opts=there)
cluster = eks.Cluster("platform", role_arn=role.arn, vpc_config={{"subnet_ids": [subnet.id]}}, tags=tags, opts=there)
pulumi.export("endpoint", cluster.endpoint)
pulumi.export("issuer", cluster.identities[0].oidcs[0].issuer)
pulumi.export("description", role.description)
"""


@dataclass(frozen=True)
class Pulumi:
    """The command in a project of its own."""

    command: Path
    project: Path
    variables: dict[str, str]

    def __call__(self, *arguments: str, code: int = 0, **variables: str) -> str:
        done = subprocess.run(
            [self.command, *arguments, "--non-interactive"],
            cwd=self.project,
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def outputs(self) -> dict[str, Any]:
        return json.loads(self("stack", "output", "--json"))


@pytest.fixture
def pulumi(programs: Programs, servers: dict[str, CloudServer], tmp_path: Path) -> Pulumi:
    (tmp_path / "backend").mkdir()
    project = tmp_path / "project"
    project.mkdir()
    settings = {"name": "python", "options": {"virtualenv": sys.prefix}}
    (project / "Pulumi.yaml").write_text(json.dumps({"name": "trial", "runtime": settings}))
    (project / "__main__.py").write_text(PROGRAM)
    folders = [programs.language_host_dir, programs.pulumi.parent, os.environ["PATH"]]
    variables = {
        "PATH": os.pathsep.join(str(folder) for folder in folders if folder),
        "HOME": str(tmp_path),
        "PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{server.port}" for package, server in servers.items()),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
        "PULUMI_HOME": str(tmp_path / "pulumi"),
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    command = Pulumi(programs.pulumi, project, variables)
    command("stack", "init", "trial")
    return command


def the_vpc(world: World) -> Resource:
    (vpc,) = (r for r in world.resources("aws") if r.key.type == "aws:ec2/vpc:Vpc")
    return vpc


def test_the_life_of_a_stack(pulumi: Pulumi, world: World) -> None:
    assert "expected a prefix of /16 to /28" in pulumi("preview", code=1, RANGE="10.0.0.0/8")
    assert "+ 6 to create" in pulumi("preview")
    assert world.counts() == {}
    assert "+ 6 created" in pulumi("up", "--yes", "--skip-preview")
    assert world.counts() == {"aws": 4}
    outputs = pulumi.outputs()
    assert outputs["endpoint"].startswith("https://127.0.0.1:")
    assert outputs["issuer"].startswith("https://oidc.eks.us-west-2.")
    assert outputs["description"] == "[secret]"
    assert "hush-hush" not in pulumi("stack", "export")
    pulumi("preview", "--expect-no-changes")
    pulumi("refresh", "--yes", "--expect-no-changes")

    # A tag changes nothing downstream.
    shown = pulumi("preview", "--diff", TEAM="b")
    assert "~ 2 to update" in shown
    assert "replace" not in shown

    # Somebody changes a tag by hand: a refresh shows it, an update takes it back.
    vpc = the_vpc(world)
    world.drift("aws", vpc.key.type, vpc.key.id, {"tags": {"team": "by hand"}})
    assert '~ team: "a" => "by hand"' in pulumi("refresh", "--preview-only", "--diff")
    pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert the_vpc(world).inputs["tags"] == {"team": "a"}

    # Another range replaces the network and what stands in it, new before old; the cluster moves to the new subnet.
    assert "+-2 to replace" in pulumi("preview", RANGE="10.9.0.0/16")
    pulumi("up", "--yes", "--skip-preview", RANGE="10.9.0.0/16")
    assert world.get(vpc.key) is None
    assert pulumi.outputs()["endpoint"] == outputs["endpoint"]

    pulumi("destroy", "--yes", "--skip-preview")
    assert world.counts() == {}


def test_a_create_that_worked_but_did_not_answer_can_be_imported(pulumi: Pulumi, world: World) -> None:
    world.inject_fault("create", "::net$", "connection reset by peer", after=True)
    assert "connection reset by peer" in pulumi("up", "--yes", "--skip-preview", code=1)
    orphan = the_vpc(world)
    provider = "cloud=urn:pulumi:trial::trial::pulumi:providers:aws::cloud"
    command = ["import", "aws:ec2/vpc:Vpc", "net", orphan.key.id, "--provider", provider, "--yes", "--protect=false"]
    pulumi(*command, "--generate-code=false")
    pulumi("up", "--yes", "--skip-preview")
    assert the_vpc(world).key == orphan.key
