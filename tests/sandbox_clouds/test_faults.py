"""What tests can do to the clouds: faults in calls, and changes behind the engine's back."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.clouds.server import CloudServer
from sandbox.world import World, WorldError
from tests.sandbox_clouds.engine import Instance, Made, Refused

VPC = {"cidrBlock": "10.0.0.0/16", "tags": {"team": "a"}}


def test_a_fault_strikes_as_often_as_asked_and_only_where_asked(aws: Instance, world: World) -> None:
    world.inject_fault("create", "::doomed$", "VpcLimitExceeded: too many VPCs", times=2)
    aws.create("aws:ec2/vpc:Vpc", "fine", VPC)
    for _ in range(2):
        with pytest.raises(Refused, match="VpcLimitExceeded"):
            aws.create("aws:ec2/vpc:Vpc", "doomed", VPC)
    aws.create("aws:ec2/vpc:Vpc", "doomed", VPC)
    assert world.faults() == []


@pytest.mark.parametrize("op", ["check", "diff", "read", "update", "delete", "invoke"])
def test_any_call_can_fail(aws: Instance, world: World, vpc: Made, op: str) -> None:
    world.inject_fault(op, ".", f"no {op} today")
    calls = {
        "check": lambda: aws.check("aws:ec2/vpc:Vpc", "x", VPC),
        "diff": lambda: aws.diff(vpc, VPC),
        "read": lambda: aws.refresh(vpc),
        "update": lambda: aws.update(vpc, VPC),
        "delete": lambda: aws.delete(vpc),
        "invoke": lambda: aws.invoke("aws:index/getRegion:getRegion"),
    }
    with pytest.raises(Refused, match=f"no {op} today"):
        calls[op]()


def test_a_preview_is_not_the_call(aws: Instance, world: World) -> None:
    world.inject_fault("create", ".", "no")
    aws.preview("aws:ec2/vpc:Vpc", "x", VPC)
    assert len(world.faults()) == 1


def test_a_call_can_fail_after_having_worked(aws: Instance, world: World) -> None:
    world.inject_fault("create", "::lost$", "connection reset", after=True)
    with pytest.raises(Refused, match="connection reset"):
        aws.create("aws:ec2/vpc:Vpc", "lost", VPC)
    (orphan,) = world.resources("aws")
    assert orphan.urn.endswith("::lost")
    found = aws.import_("aws:ec2/vpc:Vpc", "lost", orphan.key.id)
    assert found is not None
    assert found.inputs["tags"] == {"team": "a"}


def test_a_call_can_hang(aws: Instance, world: World) -> None:
    world.inject_fault("create", ".", "", hang_seconds=0.3)
    started = time.monotonic()
    aws.create("aws:ec2/vpc:Vpc", "slow", VPC)
    assert time.monotonic() - started >= 0.3


def test_a_call_can_kill_the_one_who_calls(servers: dict[str, CloudServer], world: World) -> None:
    world.inject_fault("create", ".", "", kill=True)
    program = (
        "import sys\n"
        "from tests.sandbox_clouds.engine import Instance\n"
        "aws = Instance(int(sys.argv[1]), {'region': 'us-west-2'})\n"
        "aws.create('aws:ec2/vpc:Vpc', 'x', {'cidrBlock': '10.0.0.0/16'})\n"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program, str(servers["aws"].port)]
    done = subprocess.run(command, cwd=root, check=False, timeout=60)
    assert done.returncode == -9


def test_an_operation_that_does_not_exist_is_an_error(world: World) -> None:
    with pytest.raises(WorldError, match="no operation 'craete'"):
        world.inject_fault("craete", ".", "no")


def test_refresh_reads_the_truth(aws: Instance, world: World, vpc: Made) -> None:
    world.drift("aws", "aws:ec2/vpc:Vpc", vpc.id, {"tags": {"team": "somebody"}, "enableDnsHostnames": True})
    found = aws.refresh(vpc)
    assert found is not None
    assert found.outputs["tags"] == found.inputs["tags"] == {"team": "somebody"}
    assert found.outputs["enableDnsHostnames"] is True
    back = aws.diff(found, VPC)
    assert set(back.detailedDiff) == {"tags.team"}


def test_refresh_without_drift_changes_nothing(
    aws: Instance, azure: Instance, gcp: Instance, group: Made, network: Made
) -> None:
    vpc = aws.create("aws:ec2/vpc:Vpc", "net", VPC)
    for instance, made in ((aws, vpc), (azure, group), (gcp, network)):
        found = instance.refresh(made)
        assert found == made


def test_what_is_gone_has_no_id(aws: Instance, world: World, vpc: Made, subnet: Made) -> None:
    world.vanish("aws", "aws:ec2/subnet:Subnet", subnet.id)
    assert aws.refresh(subnet) is None
    assert aws.refresh(vpc) is not None


def test_drift_of_what_does_not_exist_is_an_error(world: World) -> None:
    with pytest.raises(WorldError, match="0 resources of type"):
        world.drift("aws", "aws:ec2/vpc:Vpc", "vpc-1", {})


def test_import_gives_arguments_that_need_no_change(aws: Instance, azure: Instance, group: Made) -> None:
    named = {"name": "platform", "assumeRolePolicy": "{}"}
    role = aws.create("aws:iam/role:Role", "r", named)
    found = aws.import_("aws:iam/role:Role", "r", role.id)
    assert found is not None
    assert found.inputs["__defaults"] == []
    assert not aws.diff(found, named).detailedDiff
    imported = azure.import_("azure-native:resources:ResourceGroup", "rg", group.id)
    assert imported is not None
    assert imported.inputs["resourceGroupName"] == group.outputs["name"]
    assert aws.import_("aws:iam/role:Role", "r", "nobody") is None
