"""The one etcd behind all clusters of a sandbox."""

from __future__ import annotations

import base64
import shutil
import ssl
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from sandbox.cluster_host import ClusterHostError
from sandbox.kubernetes import commands
from sandbox.kubernetes.certificates import make_identity
from sandbox.kubernetes.commands import Binaries, EtcdFiles
from sandbox.ports import PortBook, require_free
from sandbox.processes import Child, Launcher

START_TIMEOUT_SECONDS = 60.0


class Store:
    """Runs etcd and removes what a deleted cluster leaves in it."""

    def __init__(self, directory: Path, ports: PortBook, binaries: Binaries, launcher: Launcher, log: Path) -> None:
        self.files = EtcdFiles(directory, ports.get("etcd"), ports.get("etcd-peer"))
        self._binaries = binaries
        self._launcher = launcher
        self._log = log
        self._child: Child | None = None
        self._http: httpx.Client | None = None

    def start(self, environ: Mapping[str, str]) -> None:
        """Start etcd and return when it answers. Raises ClusterHostError, PortTaken."""
        files = self.files
        remedy = "end that program, then start the sandbox again"
        require_free(files.client_port, "the sandbox's etcd", remedy)
        require_free(files.peer_port, "the sandbox's etcd, peers", remedy)
        if not (files.tls / "tls.crt").exists():
            make_identity(files.tls, name="meridian-sandbox-etcd", hosts=("127.0.0.1", "localhost"))
        context = ssl.create_default_context(cafile=str(files.tls / "ca.crt"))
        context.load_cert_chain(files.tls / "tls.crt", files.tls / "tls.key")
        self._http = httpx.Client(base_url=files.url, verify=context, trust_env=False, timeout=30)
        self.launch(environ)

    @property
    def _data(self) -> Path:
        return self.files.directory / "data"

    def clear(self) -> None:
        """Forget everything, while etcd does not run: without clusters, only space is lost in what is left."""
        shutil.rmtree(self._data, ignore_errors=True)

    def launch(self, environ: Mapping[str, str]) -> None:
        """Start the process (again) and wait until it answers."""
        self._child = self._launcher.start(
            "etcd",
            commands.etcd(self._binaries, self.files),
            log=self._log,
            environment=commands.environment(environ),
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._healthy():
            if self._child.exit_code() is not None or time.monotonic() > deadline:
                said = self._child.log_tail()
                self._child.stop()
                raise ClusterHostError(
                    f"etcd does not start; its log {self._log} ends with:\n{said}\n"
                    f"If the machine went down while it ran, its data may be damaged: remove {self._data}; "
                    "the clusters are then empty, and `pulumi refresh` says so"
                )
            time.sleep(0.05)

    @property
    def _client(self) -> httpx.Client:
        if not self._http:
            raise ClusterHostError("etcd has not been started")
        return self._http

    def _healthy(self) -> bool:
        try:
            return self._client.get("/health").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def ended(self) -> bool:
        """Whether etcd has ended though nobody stopped it."""
        return self._child is not None and self._child.exit_code() is not None

    def children(self) -> list[Child]:
        """Its process, while it runs."""
        return [self._child] if self._child else []

    def remove_prefix(self, prefix: str) -> None:
        """Delete every key under a cluster's prefix. Raises ClusterHostError when etcd does not answer."""
        start = prefix.rstrip("/") + "/"
        # The range's end is the prefix with its last byte raised by one: "/" becomes "0".
        body = {"key": _base64(start), "range_end": _base64(start[:-1] + chr(ord("/") + 1))}
        try:
            self._client.post("/v3/kv/deleterange", json=body).raise_for_status()
        except httpx.HTTPError as error:
            raise ClusterHostError(f"etcd cannot remove {prefix}: {error}") from error

    def stop(self) -> None:
        """End etcd; it closes its files properly when given a moment."""
        if self._child:
            self._child.stop(grace_seconds=5)
            self._child = None
        if self._http:
            self._http.close()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
