"""One cluster: an API server and a controller manager with their files."""

from __future__ import annotations

import secrets
import shutil
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sandbox.cluster_host import ClusterEndpoint, ClusterHostError, ClusterKey
from sandbox.kubernetes import commands
from sandbox.kubernetes.certificates import make_identity, make_signing_key
from sandbox.kubernetes.commands import Binaries, ClusterFiles, EtcdFiles
from sandbox.kubernetes.kubeconfig import token_kubeconfig
from sandbox.paths import read_json, write_json, write_private
from sandbox.ports import require_free
from sandbox.processes import Child, Launcher

START_TIMEOUT_SECONDS = 120.0
MAX_RESTARTS = 20


@dataclass(frozen=True, kw_only=True)
class ClusterRecord:
    """What is remembered about a cluster over restarts. `requested` is the version that was asked for."""

    id: str
    key: ClusterKey
    port: int
    requested: str
    tags: dict[str, str] = field(default_factory=dict)
    # False from the first moment until the creation has returned: a record that says so at a start of the
    # daemon belongs to a creation that nobody waits for any longer.
    created: bool = False

    def save(self, files: ClusterFiles) -> None:
        """Write the record."""
        key = self.key
        write_json(
            files.record,
            {
                "id": self.id,
                "key": {"package": key.package, "account": key.account, "location": key.location, "name": key.name},
                "port": self.port,
                "requested": self.requested,
                "tags": self.tags,
                "created": self.created,
            },
        )

    @classmethod
    def load(cls, files: ClusterFiles) -> ClusterRecord | None:
        """The record, or None where there is none that can be read."""
        stored: Any = read_json(files.record)
        try:
            return cls(
                id=stored["id"],
                key=ClusterKey(**stored["key"]),
                port=int(stored["port"]),
                requested=stored["requested"],
                tags=dict(stored["tags"]),
                created=bool(stored["created"]),
            )
        except (TypeError, KeyError, ValueError):
            return None


class Cluster:
    """Files and processes of one cluster. Its methods are called by one thread at a time."""

    def __init__(self, record: ClusterRecord, directory: Path) -> None:
        self.record = record
        self.files = ClusterFiles(directory)
        self.version = ""
        self._children: dict[str, Child] = {}
        self._restarts: dict[str, int] = {}

    @property
    def url(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self.record.port}"

    @property
    def ca_pem(self) -> str:
        """The CA that signed the API server's certificate."""
        return (self.files.tls / "ca.crt").read_text(encoding="ascii")

    @property
    def admin_token(self) -> str:
        """The bearer token of an administrator: secret."""
        return self.files.admin_token.read_text(encoding="ascii").strip()

    @property
    def ready(self) -> bool:
        """Whether the API server has answered since it was started last."""
        return bool(self.version)

    @property
    def endpoint(self) -> ClusterEndpoint:
        """What the clouds are told."""
        return ClusterEndpoint(url=self.url, ca_pem=self.ca_pem, version=self.version)

    @property
    def prefix(self) -> str:
        """Its keys in etcd."""
        return f"/clusters/{self.record.id}"

    def children(self) -> list[Child]:
        """Its processes."""
        return list(self._children.values())

    def ended(self) -> list[str]:
        """Programs that have ended though nobody stopped them."""
        return [program for program, child in self._children.items() if child.exit_code() is not None]

    def may_restart(self, program: str) -> bool:
        """Whether starting it again may help; a program that ends again and again is left alone."""
        self._restarts[program] = self._restarts.get(program, 0) + 1
        return self._restarts[program] <= MAX_RESTARTS

    def make_files(self) -> None:
        """Make keys, certificates and tokens where they are missing."""
        files = self.files
        files.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (files.tls / "tls.crt").exists():
            hosts = (
                "127.0.0.1", "localhost", commands.SERVICE_ADDRESS,
                "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            )  # fmt: skip
            make_identity(files.tls, name="kube-apiserver", hosts=hosts)
        if not files.signing_key.exists():
            make_signing_key(files.signing_key, files.signing_public)
        if not files.tokens.exists():
            admin, controllers = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
            write_private(files.admin_token, admin + "\n")
            write_private(
                files.controller_kubeconfig,
                token_kubeconfig(name="sandbox", url=self.url, ca_pem=self.ca_pem, token=controllers),
            )
            write_private(
                files.tokens,
                f'{admin},sandbox-admin,sandbox-admin,"system:masters"\n'
                f'{controllers},system:kube-controller-manager,controllers,"system:masters"\n',
            )

    def start(
        self, binaries: Binaries, launcher: Launcher, store: EtcdFiles, *, logs: Path, environ: Mapping[str, str]
    ) -> None:
        """Start both programs and return when the API server is ready. Raises ClusterHostError, PortTaken."""
        self.make_files()
        key = self.record.key
        require_free(
            self.record.port,
            f"the API server of cluster {key.name} in {key.location}",
            "end that program, then start the sandbox again",
        )
        context = ssl.create_default_context(cadata=self.ca_pem)
        headers = {"Authorization": f"Bearer {self.admin_token}"}
        self.launch("kube-apiserver", binaries, launcher, store, logs=logs, environ=environ)
        with httpx.Client(base_url=self.url, verify=context, headers=headers, trust_env=False, timeout=30) as client:
            self._wait_ready(client, self._children["kube-apiserver"])
        self.launch("kube-controller-manager", binaries, launcher, store, logs=logs, environ=environ)

    def launch(
        self,
        program: str,
        binaries: Binaries,
        launcher: Launcher,
        store: EtcdFiles,
        *,
        logs: Path,
        environ: Mapping[str, str],
    ) -> None:
        """Start one of the two programs (again)."""
        if program == "kube-apiserver":
            command = commands.api_server(binaries, self.files, store, prefix=self.prefix, port=self.record.port)
        else:
            command = commands.controller_manager(binaries, self.files)
        self._children[program] = launcher.start(
            f"{program} {self.record.id}",
            command,
            log=logs / f"{self.record.id}-{program}.log",
            environment=commands.environment(environ),
        )

    def _wait_ready(self, client: httpx.Client, child: Child) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                if client.get("/readyz").status_code == httpx.codes.OK:
                    version = client.get("/version").raise_for_status().json()["gitVersion"]
                    self.version = str(version).removeprefix("v")
                    return
            except httpx.HTTPError:
                pass  # Not listening yet, or cut off while starting: the loop's own limits decide.
            if child.exit_code() is not None or time.monotonic() > deadline:
                raise ClusterHostError(
                    f"the API server of {self.record.key} does not start; its log {child.log} ends with:\n"
                    f"{child.log_tail()}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End both programs. They keep nothing in memory that etcd does not have, so they get no grace."""
        for child in reversed(self.children()):
            child.stop()
        self._children.clear()
        self.version = ""

    def remove_files(self) -> None:
        """Forget the cluster."""
        # The record first: without it the rest is a leftover that the next start removes.
        self.files.record.unlink(missing_ok=True)
        shutil.rmtree(self.files.directory, ignore_errors=True)
