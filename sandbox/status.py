"""What a running sandbox consists of."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from sandbox.cluster_host import ClusterKey
from sandbox.kubernetes.cluster import Cluster, ClusterRecord
from sandbox.kubernetes.commands import ClusterFiles
from sandbox.paths import Home
from sandbox.processes import ProcessRecord, ProcessTable

ASK_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class ProcessInfo:
    """One process of the sandbox; `rss` is its resident memory in bytes (shared pages counted in each)."""

    name: str
    pid: int
    rss: int


@dataclass(frozen=True, kw_only=True)
class ClusterInfo:
    """One simulated cluster. `version` is what its API server answers, empty when it does not answer;
    `requested_version` is what the program asked for."""

    package: str
    account: str
    location: str
    name: str
    version: str
    requested_version: str
    endpoint: str
    tags: dict[str, str]
    ready: bool

    @property
    def key(self) -> ClusterKey:
        """The cluster's identity."""
        return ClusterKey(package=self.package, account=self.account, location=self.location, name=self.name)


@dataclass(frozen=True, kw_only=True)
class Status:
    """A running sandbox. `started_at` is Unix time; `rss_bytes` sums `processes`; `resources` counts what the
    simulated clouds hold by package; `generic_types` are those without data of their own."""

    pid: int
    ports: dict[str, int]
    started_at: float
    rss_bytes: int
    processes: list[ProcessInfo]
    clusters: list[ClusterInfo]
    resources: dict[str, int] = field(default_factory=dict)
    generic_types: list[str] = field(default_factory=list)


def recorded_clusters(home: Home) -> list[Cluster]:
    """The clusters whose creation is complete, in the order of their keys."""
    directories = home.clusters.iterdir() if home.clusters.is_dir() else ()
    clusters = [
        Cluster(record, directory)
        for directory in directories
        if (record := ClusterRecord.load(ClusterFiles(directory))) and record.created
    ]
    return sorted(clusters, key=lambda cluster: cluster.record.key)


def cluster_info(cluster: Cluster) -> ClusterInfo:
    """Ask a cluster's API server for its version and readiness."""
    version, ready = "", False
    try:
        with httpx.Client(
            base_url=cluster.url,
            verify=ssl.create_default_context(cadata=cluster.ca_pem),
            headers={"Authorization": f"Bearer {cluster.admin_token}"},
            trust_env=False,
            timeout=ASK_TIMEOUT_SECONDS,
        ) as client:
            answer: dict[str, Any] = client.get("/version").raise_for_status().json()
            version = str(answer["gitVersion"]).removeprefix("v")
            ready = client.get("/readyz").is_success
    except (httpx.HTTPError, OSError):
        pass  # Being deleted or restarted just now: told as not ready.
    key = cluster.record.key
    return ClusterInfo(
        package=key.package,
        account=key.account,
        location=key.location,
        name=key.name,
        version=version,
        requested_version=cluster.record.requested,
        endpoint=cluster.url,
        tags=dict(cluster.record.tags),
        ready=ready,
    )


def processes(home: Home, daemon: ProcessRecord) -> list[ProcessInfo]:
    """The daemon and its children that run now."""
    found = []
    for record in (daemon, *ProcessTable(home.processes).records()):
        process = record.process()
        try:
            if process:
                found.append(ProcessInfo(name=record.name, pid=record.pid, rss=process.memory_info().rss))
        except psutil.Error:
            continue
    return found
