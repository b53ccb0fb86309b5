"""One sandbox with one cluster for all tests of this folder."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sandbox.cluster_host import ClusterEndpoint, ClusterKey
from sandbox.kubernetes import server
from sandbox.kubernetes.api import Api
from sandbox.kubernetes.clusters import KubernetesClusters
from sandbox.kubernetes.commands import Binaries
from sandbox.paths import Home
from sandbox.ports import PortBook
from sandbox.processes import Launcher, ProcessTable
from sandbox.world import World
from tests.sandbox_kubernetes.engine import KEY, Engine, kubeconfig
from toolchain.programs import Programs


@dataclass(frozen=True)
class Sandbox:
    """Clusters and the provider in this very process: no daemon."""

    home: Home
    clusters: KubernetesClusters
    world: World
    port: int
    table: ProcessTable
    apis: dict[str, Api] = field(default_factory=dict)

    @property
    def endpoint(self) -> ClusterEndpoint:
        found = self.clusters.endpoint(KEY)
        assert found
        return found

    def api(self, key: ClusterKey = KEY) -> Api:
        """The API server, asked directly."""
        endpoint = self.clusters.endpoint(key)
        assert endpoint
        if endpoint.ca_pem not in self.apis:
            cluster = self.clusters.find(endpoint.url)
            assert cluster
            self.apis[endpoint.ca_pem] = Api(url=cluster.url, ca_pem=cluster.ca_pem, token=cluster.admin_token)
        return self.apis[endpoint.ca_pem]


@pytest.fixture(scope="session")
def binaries(programs: Programs) -> Binaries:
    return Binaries(programs.etcd, programs.kube_apiserver, programs.kube_controller_manager)


@pytest.fixture(scope="session")
def sandbox(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = Home.at(tmp_path_factory.mktemp("a sandbox home"))
    home.prepare()
    book, table, world = PortBook(home.ports), ProcessTable(home.processes), World(home.world)
    clusters = KubernetesClusters(home, book, binaries, Launcher(table), os.environ)
    clusters.start(lambda _: None)
    found = Sandbox(home, clusters, world, book.get("kubernetes"), table)
    try:
        clusters.create(KEY, "1.35", {"environment": "staging"})
        running = server.serve(world, clusters, found.port)
        yield found
        running.stop()
    finally:
        for api in found.apis.values():
            api.close()
        clusters.stop()
        world.close()
    assert not table.running()


@pytest.fixture(scope="session")
def engine(sandbox: Sandbox) -> Iterator[Engine]:
    """An engine whose provider instance has the cluster's kubeconfig."""
    found = Engine(sandbox.port, {"kubeconfig": kubeconfig(sandbox.endpoint)})
    yield found
    found.channel.close()


_NUMBERS = itertools.count(1)


@pytest.fixture
def namespace(engine: Engine) -> str:
    """A namespace of the test's own. It is not deleted: that takes seconds, and the sandbox goes anyway."""
    name = f"test-{next(_NUMBERS)}"
    return engine.create("kubernetes:core/v1:Namespace", name, {"metadata": {"name": name}}).id
