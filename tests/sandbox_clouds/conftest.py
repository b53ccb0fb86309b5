"""Simulated clouds on free ports, each test with a world of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.clouds.server import CloudServer, serve
from sandbox.world import World
from tests.sandbox_clouds.engine import Clusters, Instance, Made

ACCOUNT = "111122223333"
SUBSCRIPTION = "5f0c0a1e-3b7d-4c59-9d1a-2f6d1c1e7a10"
PROJECT = "sandbox-project"
CONFIG: Mapping[str, Mapping[str, Any]] = {
    "aws": {"region": "us-west-2", "allowedAccountIds": f'["{ACCOUNT}"]'},
    "azure-native": {"subscriptionId": SUBSCRIPTION},
    "gcp": {"project": PROJECT, "region": "europe-west1"},
}

Connect = Callable[..., Instance]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "world.sqlite")
    yield world
    world.close()


@pytest.fixture
def clusters() -> Clusters:
    return Clusters()


@pytest.fixture
def servers(world: World, clusters: Clusters) -> Iterator[dict[str, CloudServer]]:
    running = serve(world, clusters, patience_seconds=0.2)
    yield running
    for server in running.values():
        server.stop()


@pytest.fixture
def connect(servers: dict[str, CloudServer]) -> Iterator[Connect]:
    """Open a provider instance: the package's usual configuration with changes."""
    opened: list[Instance] = []

    def open_(package: str, **config: Any) -> Instance:
        instance = Instance(servers[package].port, {**CONFIG[package], **config})
        opened.append(instance)
        return instance

    yield open_
    for instance in opened:
        instance.channel.close()


@pytest.fixture
def aws(connect: Connect) -> Instance:
    return connect("aws")


@pytest.fixture
def azure(connect: Connect) -> Instance:
    return connect("azure-native")


@pytest.fixture
def gcp(connect: Connect) -> Instance:
    return connect("gcp")


@pytest.fixture
def vpc(aws: Instance) -> Made:
    return aws.create("aws:ec2/vpc:Vpc", "net", {"cidrBlock": "10.0.0.0/16", "tags": {"team": "a"}})


@pytest.fixture
def subnet(aws: Instance, vpc: Made) -> Made:
    return aws.create("aws:ec2/subnet:Subnet", "one", {"vpcId": vpc.id, "cidrBlock": "10.0.0.0/24"})


@pytest.fixture
def role(aws: Instance) -> Made:
    policy = '{"Version":"2012-10-17","Statement":[]}'
    return aws.create("aws:iam/role:Role", "control", {"assumeRolePolicy": policy})


@pytest.fixture
def group(azure: Instance) -> Made:
    return azure.create("azure-native:resources:ResourceGroup", "rg", {"location": "centralindia"})


@pytest.fixture
def network(gcp: Instance) -> Made:
    return gcp.create("gcp:compute/network:Network", "net", {"autoCreateSubnetworks": False})
