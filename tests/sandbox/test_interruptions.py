"""Whatever is interrupted, and however: the next run goes on, nothing is made twice and nothing is lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest

from sandbox import control
from sandbox.world import World
from tests.processes import until
from tests.sandbox.checkout import PATIENCE, Checkout

REGION, PLATFORM, TENANTS = "scratch.azure-x", "scratch.azure-x.platform", "scratch.azure-x.tenants-00"


@pytest.fixture(scope="module")
def scratch(checkout: Checkout) -> Iterator[Checkout]:
    """A second environment, of one region. Its tests build on each other in the order of this file."""
    platform = checkout.platform("staging")
    region = next(one for one in platform["regions"] if one["cloud"] == "azure")
    network = {"range": "10.240.0.0/16", "pods": "100.96.0.0/16", "services": "10.241.0.0/20"}
    only = region | {"name": "azure-x", "role": "primary", "mode": "active", "network": network}
    checkout.describe("scratch", platform | {"regions": [only]})
    yield checkout
    checkout.meridian("destroy", "scratch")
    (checkout.root / "Pulumi.scratch.yaml").unlink()


@pytest.fixture
def world(scratch: Checkout) -> Iterator[World]:
    with scratch.world() as world:
        yield world
        world.clear_faults()


def held(world: World, environment: str = "scratch") -> Counter[str]:
    """How often each URN of an environment exists in the simulated clouds."""
    return Counter(one.urn for one in world.resources() if one.urn.startswith(f"urn:pulumi:{environment}."))


def struck(world: World, running: subprocess.Popen[str]) -> None:
    """Wait until no fault is left to strike: the last one is just striking the run."""
    until(lambda: not world.faults() or running.poll() is not None, PATIENCE)
    assert running.poll() is None, ended(running)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    printed, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, printed


def test_a_call_that_fails_is_told_once_and_tried_again(scratch: Checkout, world: World) -> None:
    world.inject_fault("create", "VirtualNetwork::", "InternalServerError: try again later")
    failed = scratch.meridian("up", REGION)
    assert failed.code == 1
    assert failed.printed.count("InternalServerError: try again later") == 1
    assert "azure-native:network:VirtualNetwork" in failed.printed
    assert f"not up: {REGION}" in failed.printed


def test_what_was_made_although_the_call_failed_is_taken_over(scratch: Checkout, world: World) -> None:
    world.inject_fault("create", "VirtualNetwork::", "connection reset", after=True)
    assert scratch.meridian("up", REGION).code == 1
    made = [urn for urn in held(world) if ":VirtualNetwork::" in urn]
    assert len(made) == 1
    assert not any(one["urn"] == made[0] for one in scratch.states.read(REGION).resources)
    world.inject_fault("create", "Subnet::", "stop here")
    again = scratch.meridian("up", REGION)
    assert re.search(r"VirtualNetwork \S+: made by an interrupted run, now in the state", again.printed)
    assert max(held(world).values()) == 1


def test_a_killed_engine_leaves_nothing_behind(scratch: Checkout, world: World) -> None:
    world.inject_fault("create", "Subnet::", "", kill=True, after=True)
    killed = scratch.meridian("up", REGION)
    assert killed.code == 1
    state = scratch.states.read(REGION)
    assert state.pending
    assert scratch.states.locks(REGION)
    assert not engines(scratch)


def engines(checkout: Checkout) -> list[list[str]]:
    """Command lines of engines, language hosts and programs that work in this checkout."""
    status = control.status(checkout.home)
    sandbox = {process.pid for process in status.processes} if status else set()
    return [
        process.info["cmdline"] or []
        for process in psutil.process_iter(["cwd", "cmdline"])
        if (process.info["cwd"] or "").startswith(str(checkout.root)) and process.pid not in sandbox
    ]


def test_a_killed_meridian_lets_its_engine_finish_and_the_next_run_goes_on(scratch: Checkout, world: World) -> None:
    world.inject_fault("create", "ManagedCluster::", "", hang_seconds=5)
    running = scratch.start("up", REGION)
    struck(world, running)
    # Meanwhile the environment is taken.
    second = scratch.meridian("up", "scratch")
    assert second.code == 2
    assert f"`meridian up {REGION}` (pid {running.pid}" in second.printed
    running.kill()
    ended(running)
    world.inject_fault("create", "RoleAssignment::", "stop here", times=9)
    assert "stop here" in scratch.meridian("up", REGION).printed
    state = scratch.states.read(REGION)
    assert [one["type"] for one in state.resources].count("azure-native:containerservice:ManagedCluster") == 1
    assert sum(":ManagedCluster::" in urn for urn in held(world).elements()) == 1


def test_a_killed_sandbox_is_started_again_and_the_run_goes_on(scratch: Checkout, world: World) -> None:
    world.inject_fault("create", "RoleAssignment::", "", hang_seconds=60)
    running = scratch.start("up", REGION)
    struck(world, running)
    status = control.status(scratch.home)
    assert status
    os.kill(status.pid, signal.SIGKILL)
    code, printed = ended(running)
    assert code == 1
    assert "Traceback" not in printed
    refused = scratch.meridian("up", REGION)
    assert (refused.code, "`meridian sandbox up`" in refused.printed) == (2, True)
    scratch.well("sandbox", "up")
    scratch.well("up", REGION)
    assert max(held(world).values()) == 1
    recorded = {one["urn"] for one in scratch.states.read(REGION).resources}
    assert set(held(world)) <= recorded
    assert scratch.steps(REGION) == {}


def test_objects_in_a_cluster_are_taken_over_too(scratch: Checkout, world: World) -> None:
    world.inject_fault("create", "core/v1:Namespace::", "connection reset", after=True)
    world.inject_fault("create", "PriorityClass::", "", kill=True, after=True)
    assert scratch.meridian("up", PLATFORM).code == 1
    if world.faults():  # the engine may have been killed before the other call came
        assert scratch.meridian("up", PLATFORM).code == 1
    again = scratch.well("up", PLATFORM)
    assert "was in the cluster already, made by an interrupted run; now in the state" in again.printed
    assert scratch.steps(PLATFORM) == {}


def test_ctrl_c_finishes_what_has_begun_and_leaves_a_clean_state(scratch: Checkout, world: World) -> None:
    world.inject_fault("create", "core/v1:Namespace::", "", hang_seconds=2)
    running = scratch.start("up", "scratch")
    struck(world, running)
    running.send_signal(signal.SIGINT)
    code, printed = ended(running)
    assert code == 130
    assert "stopping: what has begun is being finished and recorded" in printed
    assert scratch.states.locks(TENANTS) == []
    assert scratch.states.read(TENANTS).pending == []
    scratch.well("up", "scratch")
    assert scratch.steps("scratch") == {}


def protect(checkout: Checkout, value: bool) -> None:
    platform = checkout.platform("scratch")
    regions = [region | {"protect": value} for region in platform["regions"]]
    checkout.describe("scratch", platform | {"regions": regions})


def test_one_protected_resource_keeps_the_whole_environment(scratch: Checkout, world: World) -> None:
    protect(scratch, True)
    scratch.well("up", REGION)
    before = world.revision()
    refused = scratch.meridian("destroy", "scratch")
    assert refused.code == 1
    assert "nothing was deleted" in refused.printed
    assert "protected" in refused.printed
    assert world.revision() == before
    protect(scratch, False)
    scratch.well("up", REGION)


def test_an_interrupted_destroy_goes_on_and_leaves_nothing(scratch: Checkout, world: World) -> None:
    world.inject_fault("delete", "FederatedIdentityCredential::", "", kill=True, after=True)
    assert scratch.meridian("destroy", "scratch").code == 1
    gone = scratch.well("destroy", "scratch")
    assert "the simulated clouds hold nothing of it" in gone.printed
    assert not held(world)
    assert not [name for name in scratch.states.names() if name.startswith("scratch.")]
    assert not list(scratch.root.glob("Pulumi.scratch.*.yaml"))
    assert (scratch.root / "Pulumi.scratch.yaml").exists()
    again = scratch.well("destroy", "scratch")
    assert "nothing of environment scratch exists" in again.printed
    assert not engines(scratch)
