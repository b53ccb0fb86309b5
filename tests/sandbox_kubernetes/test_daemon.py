"""The daemon starts, stops, survives being killed, and leaves nothing behind. Paths contain spaces."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import psutil
import pytest
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox import control
from sandbox.control import SandboxError, Status
from sandbox.kubernetes.api import Api
from sandbox.kubernetes.clusters import KubernetesClusters
from sandbox.kubernetes.commands import Binaries
from sandbox.paths import Home
from sandbox.ports import PortBook
from sandbox.processes import Launcher, ProcessTable, describe
from sandbox.status import ClusterInfo
from tests.processes import gone
from tests.sandbox_kubernetes.engine import KEY


@dataclass
class Daemon:
    """A home and what to start on it."""

    home: Path
    binaries: Binaries
    said: list[str] = field(default_factory=list)

    def start(self) -> Status:
        self.said.clear()
        return control.start(
            self.home,
            etcd=self.binaries.etcd,
            kube_apiserver=self.binaries.kube_apiserver,
            kube_controller_manager=self.binaries.kube_controller_manager,
            progress=self.said.append,
        )

    def processes(self) -> list[psutil.Process]:
        """Everything on this machine whose command line names the home: found without the sandbox's own records."""
        found = []
        for process in psutil.process_iter():
            try:
                if str(self.home) in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture
def daemon(tmp_path: Path, binaries: Binaries) -> Iterator[Daemon]:
    found = Daemon(tmp_path / "my home", binaries)
    yield found
    control.stop(found.home)
    assert found.processes() == []


def with_cluster(daemon: Daemon) -> None:
    """Make a cluster with something in it, as the daemon would, and stop everything."""
    home = Home.at(daemon.home)
    home.prepare()
    clusters = KubernetesClusters(
        home, PortBook(home.ports), daemon.binaries, Launcher(ProcessTable(home.processes)), os.environ
    )
    clusters.start(lambda _: None)
    try:
        endpoint = clusters.create(KEY, "1.34", {"environment": "staging"})
        cluster = clusters.find(endpoint.url)
        assert cluster
        api = Api(url=cluster.url, ca_pem=cluster.ca_pem, token=cluster.admin_token)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}}
        api.apply(namespace, manager="test")
        api.close()
    finally:
        clusters.stop()


def has_namespace(daemon: Daemon, cluster: ClusterInfo) -> bool:
    """Whether the cluster still holds what `with_cluster` made, asked with the people's kubeconfig."""
    config = yaml.safe_load(control.kubeconfig(daemon.home, cluster))
    authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    api = Api(
        url=config["clusters"][0]["cluster"]["server"], ca_pem=authority, token=config["users"][0]["user"]["token"]
    )
    found = api.get("v1", "Namespace", "", "kept")
    api.close()
    return found is not None


def test_start_status_environment_stop(daemon: Daemon) -> None:
    assert control.status(daemon.home) is None
    with pytest.raises(SandboxError, match="is not running"):
        control.environment(daemon.home)

    first = daemon.start()
    assert any("etcd is ready" in line for line in daemon.said)
    assert set(first.ports) == {"aws", "azure-native", "gcp", "kubernetes"}
    assert {process.name for process in first.processes} == {"daemon", "etcd"}
    assert first.rss_bytes == sum(process.rss for process in first.processes)
    assert first.clusters == []
    for port in first.ports.values():
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=5)
            assert answer.version

    variables = control.environment(daemon.home)
    assert variables["PULUMI_DEBUG_PROVIDERS"].count(":") == 4
    passphrase = Path(variables["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert passphrase.stat().st_mode & 0o077 == 0
    secret = passphrase.read_text()

    began = time.monotonic()
    assert daemon.start().pid == first.pid
    assert time.monotonic() - began < 1
    assert daemon.said == []

    assert control.stop(daemon.home).was_running
    assert control.status(daemon.home) is None
    assert daemon.processes() == []
    assert not control.stop(daemon.home).was_running

    again = daemon.start()
    assert again.ports == first.ports
    assert control.environment(daemon.home) == variables
    assert passphrase.read_text() == secret


def test_after_being_killed_it_comes_back_with_its_clusters(daemon: Daemon) -> None:
    with_cluster(daemon)
    before = daemon.start()
    (cluster,) = before.clusters
    assert (cluster.version, cluster.requested_version, cluster.ready) == ("1.35.4", "1.34", True)
    assert cluster.key == KEY
    assert cluster.tags == {"environment": "staging"}
    assert has_namespace(daemon, cluster)
    assert {process.name.split()[0] for process in before.processes} == {
        "daemon", "etcd", "kube-apiserver", "kube-controller-manager",
    }  # fmt: skip

    os.kill(before.pid, signal.SIGKILL)
    for process in before.processes if sys.platform == "linux" else before.processes[:1]:
        assert gone(process.pid)
    assert control.status(daemon.home) is None

    after = daemon.start()
    assert after.clusters == before.clusters
    assert after.ports == before.ports
    assert has_namespace(daemon, after.clusters[0])

    stopped = control.stop(daemon.home)
    assert stopped.was_running
    assert stopped.seconds < 15
    assert daemon.processes() == []


def test_what_a_killed_daemon_left_is_ended_first(daemon: Daemon) -> None:
    home = Home.at(daemon.home)
    home.prepare()
    command = [sys.executable, "-c", "import time; time.sleep(600)", str(daemon.home)]
    with subprocess.Popen(command) as leftover:
        ProcessTable(home.processes).add(describe("kube-apiserver of old", leftover.pid, command))
        daemon.start()
        assert gone(leftover.pid)
    assert any("ended kube-apiserver of old" in line for line in daemon.said)


def test_a_cluster_whose_creation_was_interrupted_is_cleared_away(daemon: Daemon) -> None:
    with_cluster(daemon)
    (record,) = Home.at(daemon.home).clusters.glob("*/cluster.json")
    record.write_text(record.read_text().replace('"created": true', '"created": false'))
    assert daemon.start().clusters == []
    assert not record.parent.exists()


def test_a_port_that_is_taken_is_named(daemon: Daemon) -> None:
    home = Home.at(daemon.home)
    home.prepare()
    port = PortBook(home.ports).get("gcp")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen(1)
        with pytest.raises(
            SandboxError, match=rf"port {port} \(the sandbox's gcp provider\) is taken by pid {os.getpid()}"
        ):
            daemon.start()
    assert daemon.processes() == []
    assert daemon.start().ports["gcp"] == port


def test_what_does_not_run_is_said_with_its_log(daemon: Daemon, tmp_path: Path) -> None:
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho no disk >&2\nexit 1\n")
    broken.chmod(0o755)
    daemon.binaries = Binaries(broken, daemon.binaries.kube_apiserver, daemon.binaries.kube_controller_manager)
    with pytest.raises(SandboxError, match=r"etcd does not start(.|\n)*no disk"):
        daemon.start()


def test_starts_at_the_same_time_make_one_daemon(daemon: Daemon) -> None:
    with ThreadPoolExecutor(3) as pool:
        attempts: list[Callable[[], Status]] = [daemon.start] * 3
        pids = {status.pid for status in pool.map(lambda start: start(), attempts)}
    assert len(pids) == 1
    assert sum("sandbox.daemon" in " ".join(process.cmdline()) for process in daemon.processes()) == 1


def test_two_daemons_never_share_a_home(daemon: Daemon) -> None:
    daemon.start()
    arguments = [f"--home={daemon.home}"]
    arguments += [f"--{name}=x" for name in ("etcd", "kube-apiserver", "kube-controller-manager")]
    code = (
        "import sys; from sandbox import daemon; daemon.LOCK_TIMEOUT_SECONDS = 0.1; sys.exit(daemon.main(sys.argv[1:]))"
    )
    root = Path(control.__file__).parents[1]
    second = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert second.returncode == 3
    assert "another sandbox runs on" in second.stderr


def test_an_unknown_cluster_has_no_kubeconfig(daemon: Daemon) -> None:
    daemon.start()
    info = ClusterInfo(
        package="gcp", account="p", location="l", name="n", version="", requested_version="", endpoint="", tags={},
        ready=False,
    )  # fmt: skip
    with pytest.raises(SandboxError, match="holds no cluster gcp/p/l/n"):
        control.kubeconfig(daemon.home, info)
