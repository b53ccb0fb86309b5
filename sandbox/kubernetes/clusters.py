"""All clusters of a sandbox: the ClusterHost that the simulated clouds use."""

from __future__ import annotations

import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sandbox.cluster_host import ClusterEndpoint, ClusterHostError, ClusterKey
from sandbox.kubernetes.cluster import Cluster, ClusterRecord
from sandbox.kubernetes.commands import Binaries, ClusterFiles
from sandbox.kubernetes.store import Store
from sandbox.paths import Home
from sandbox.ports import PortBook, PortTaken, pick
from sandbox.processes import Child, Launcher

Progress = Callable[[str], None]


class KubernetesClusters:
    """Runs etcd and, for every cluster, an API server and a controller manager. Implements ClusterHost."""

    def __init__(
        self, home: Home, ports: PortBook, binaries: Binaries, launcher: Launcher, environ: Mapping[str, str]
    ) -> None:
        self._home = home
        self._binaries = binaries
        self._launcher = launcher
        self._environ = environ
        self._store = Store(home.etcd, ports, binaries, launcher, home.log / "etcd.log")
        self._clusters: dict[ClusterKey, Cluster] = {}
        self._lock = threading.Lock()
        self._key_locks: dict[ClusterKey, threading.Lock] = {}
        self._stopping = False

    # --- life of the sandbox ---

    def start(self, progress: Progress) -> None:
        """Start etcd and every cluster that exists, all at once. Raises ClusterHostError, PortTaken."""
        began = time.monotonic()
        recorded = list(self._recorded())
        if not recorded:
            self._store.clear()
        self._store.start(self._environ)
        progress(f"etcd is ready ({time.monotonic() - began:.1f} s)")
        clusters = [cluster for cluster in recorded if self._keep(cluster)]
        with self._lock:
            self._clusters = {cluster.record.key: cluster for cluster in clusters}
        if not clusters:
            return

        def start(cluster: Cluster) -> None:
            self._start(cluster)
            key = cluster.record.key
            progress(
                f"API server of {key.name} ({key.package}, {key.location}) is ready: Kubernetes {cluster.version} "
                f"({time.monotonic() - began:.1f} s)"
            )

        with ThreadPoolExecutor(max_workers=len(clusters)) as pool:
            for done in [pool.submit(start, cluster) for cluster in clusters]:
                done.result()

    def stop(self) -> None:
        """End every process; the clusters' contents stay for the next start."""
        self._stopping = True
        with self._lock:
            clusters = list(self._clusters.values())
        if clusters:
            with ThreadPoolExecutor(max_workers=len(clusters)) as pool:
                list(pool.map(Cluster.stop, clusters))
        self._store.stop()

    def revive(self) -> list[str]:
        """Start again what has ended by itself; returns what happened. Called regularly."""
        messages = []
        if self._store.ended():
            messages.append("etcd had ended and is started again")
            self._store.launch(self._environ)
        for cluster in self.all():
            for program in cluster.ended():
                with self._exclusive(cluster.record.key):
                    # Deleted in the meantime: then it was meant to end.
                    if self._stopping or self._get(cluster.record.key) is not cluster:
                        continue
                    if not cluster.may_restart(program):
                        continue
                    messages.append(f"{program} of {cluster.record.key} had ended and is started again")
                    self._launch(cluster, program)
        return messages

    def children(self) -> list[Child]:
        """Every process that should be running now."""
        with self._lock:
            clusters = list(self._clusters.values())
        return [*self._store.children(), *(child for cluster in clusters for child in cluster.children())]

    def _recorded(self) -> Iterator[Cluster]:
        for directory in sorted(self._home.clusters.iterdir()):
            record = ClusterRecord.load(ClusterFiles(directory))
            if record:
                yield Cluster(record, directory)
            elif directory.is_dir():
                shutil.rmtree(directory, ignore_errors=True)  # What an interrupted deletion left.

    def _keep(self, cluster: Cluster) -> bool:
        """False, after removing it, for a cluster whose creation the daemon's death interrupted."""
        if cluster.record.created:
            return True
        self._store.remove_prefix(cluster.prefix)
        cluster.remove_files()
        return False

    def _start(self, cluster: Cluster) -> None:
        cluster.start(self._binaries, self._launcher, self._store.files, logs=self._home.log, environ=self._environ)

    def _launch(self, cluster: Cluster, program: str) -> None:
        cluster.launch(
            program, self._binaries, self._launcher, self._store.files, logs=self._home.log, environ=self._environ
        )

    # --- ClusterHost ---

    @contextmanager
    def _exclusive(self, key: ClusterKey) -> Generator[None]:
        with self._lock:
            lock = self._key_locks.setdefault(key, threading.Lock())
        with lock:
            yield

    def create(self, key: ClusterKey, version: str, tags: Mapping[str, str] | None = None) -> ClusterEndpoint:
        """See ClusterHost."""
        with self._exclusive(key):
            existing = self._get(key)
            if existing:
                return existing.endpoint
            cluster = self._new(key, version, tags or {})
            try:
                self._start(cluster)
            except BaseException as error:
                cluster.stop()
                # A stopping daemon leaves the record: the next one sees an unfinished creation and clears it up.
                if not self._stopping:
                    self._store.remove_prefix(cluster.prefix)
                    cluster.remove_files()
                if isinstance(error, PortTaken | OSError | RuntimeError):
                    raise ClusterHostError(f"the API server of {key} does not start: {error}") from error
                raise
            cluster.record = replace(cluster.record, created=True)
            cluster.record.save(cluster.files)
            with self._lock:
                self._clusters[key] = cluster
            return cluster.endpoint

    def delete(self, key: ClusterKey) -> None:
        """See ClusterHost."""
        with self._exclusive(key):
            cluster = self._get(key)
            if not cluster:
                return
            with self._lock:
                del self._clusters[key]
            cluster.stop()
            # From here on a crash leaves an unfinished creation, which the next start removes.
            cluster.record = replace(cluster.record, created=False)
            cluster.record.save(cluster.files)
            self._store.remove_prefix(cluster.prefix)
            cluster.remove_files()
            for log in self._home.log.glob(f"{cluster.record.id}-*"):
                log.unlink(missing_ok=True)

    def endpoint(self, key: ClusterKey) -> ClusterEndpoint | None:
        """See ClusterHost."""
        cluster = self._get(key)
        return cluster.endpoint if cluster else None

    def upgrade(self, key: ClusterKey, version: str) -> ClusterEndpoint:
        """See ClusterHost."""
        with self._exclusive(key):
            cluster = self._get(key)
            if not cluster:
                raise ClusterHostError(f"there is no cluster {key}")
            cluster.record = replace(cluster.record, requested=version)
            cluster.record.save(cluster.files)
            return cluster.endpoint

    # --- for the kubernetes provider ---

    def find(self, server: str) -> Cluster | None:
        """The cluster that a kubeconfig's server URL means."""
        with self._lock:
            return next((cluster for cluster in self._clusters.values() if cluster.url == server), None)

    def all(self) -> list[Cluster]:
        """Every cluster, in the order of their keys."""
        with self._lock:
            return [self._clusters[key] for key in sorted(self._clusters)]

    def _get(self, key: ClusterKey) -> Cluster | None:
        with self._lock:
            return self._clusters.get(key)

    def _new(self, key: ClusterKey, version: str, tags: Mapping[str, str]) -> Cluster:
        """A recorded cluster without processes. Its id differs from any earlier cluster's of the same key."""
        words = re.sub(r"[^a-z0-9]+", "-", f"{key.package}-{key.name}".lower()).strip("-")[:48]
        identifier = f"{words}-{secrets.token_hex(4)}"
        with self._lock:
            # Ports of recorded clusters, also of those that are being created just now.
            directories: list[Path] = list(self._home.clusters.iterdir())
            records = [ClusterRecord.load(ClusterFiles(directory)) for directory in directories]
            port = pick(record.port for record in records if record)
            cluster = Cluster(
                ClusterRecord(id=identifier, key=key, port=port, requested=version, tags=dict(tags)),
                self._home.clusters / identifier,
            )
            cluster.files.directory.mkdir(mode=0o700)
            cluster.record.save(cluster.files)
        return cluster
