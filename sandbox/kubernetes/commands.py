"""Command lines of etcd, kube-apiserver and kube-controller-manager. Flags as in their own documentation (v1.35).

Secrets are passed as files, never as arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# The service range of every cluster. Nothing routes it: there are no nodes.
SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"

# Only what gives meaning to the objects that we create: namespaces that go away when deleted, quotas with a status,
# default ServiceAccounts and their tokens, the CA bundle in each namespace, owner references, aggregated ClusterRoles
# (admin, edit, view), and the two controllers without which a volume or claim could never be deleted (admission
# gives each a finalizer). Nothing that runs workloads: there are no nodes.
CONTROLLERS = (
    "namespace-controller",
    "resourcequota-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "garbage-collector-controller",
    "clusterrole-aggregation-controller",
    "persistentvolume-protection-controller",
    "persistentvolumeclaim-protection-controller",
)


@dataclass(frozen=True)
class Binaries:
    """The three programs. Which of them a multi-command program is, its file name tells."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path


@dataclass(frozen=True)
class EtcdFiles:
    """Where the one etcd of a sandbox lives and listens."""

    directory: Path
    client_port: int
    peer_port: int

    @property
    def url(self) -> str:
        """Where API servers find it."""
        return f"https://127.0.0.1:{self.client_port}"

    @property
    def tls(self) -> Path:
        """Its CA, certificate and key."""
        return self.directory / "tls"


@dataclass(frozen=True)
class ClusterFiles:
    """The files of one cluster."""

    directory: Path

    @property
    def tls(self) -> Path:
        """The API server's CA, certificate and key."""
        return self.directory / "tls"

    @property
    def signing_key(self) -> Path:
        """Signs ServiceAccount tokens."""
        return self.directory / "service-accounts.key"

    @property
    def signing_public(self) -> Path:
        """Checks ServiceAccount tokens."""
        return self.directory / "service-accounts.pub"

    @property
    def tokens(self) -> Path:
        """The API server's static tokens."""
        return self.directory / "tokens.csv"

    @property
    def admin_token(self) -> Path:
        """The administrator's token alone."""
        return self.directory / "admin-token"

    @property
    def controller_kubeconfig(self) -> Path:
        """What the controller manager connects with."""
        return self.directory / "controller-manager.kubeconfig"

    @property
    def record(self) -> Path:
        """What is remembered of the cluster."""
        return self.directory / "cluster.json"


def etcd(binaries: Binaries, files: EtcdFiles) -> list[str]:
    """One member, reachable only with the sandbox's own certificate; durable against crashes of programs.

    --unsafe-no-fsync gives up durability against a crash of the machine: what the sandbox holds can be made again.
    """
    peer = f"https://127.0.0.1:{files.peer_port}"
    tls = files.tls
    return [
        str(binaries.etcd),
        "--name=sandbox",
        f"--data-dir={files.directory / 'data'}",
        f"--listen-client-urls={files.url}",
        f"--advertise-client-urls={files.url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=sandbox={peer}",
        "--client-cert-auth=true",
        f"--trusted-ca-file={tls / 'ca.crt'}",
        f"--cert-file={tls / 'tls.crt'}",
        f"--key-file={tls / 'tls.key'}",
        "--peer-client-cert-auth=true",
        f"--peer-trusted-ca-file={tls / 'ca.crt'}",
        f"--peer-cert-file={tls / 'tls.crt'}",
        f"--peer-key-file={tls / 'tls.key'}",
        "--unsafe-no-fsync",
        # Alone, it need not wait a second before it elects itself.
        "--heartbeat-interval=20",
        "--election-timeout=200",
        "--snapshot-count=5000",
        "--max-wals=2",
        "--max-snapshots=2",
        f"--quota-backend-bytes={2 << 30}",
        "--log-level=warn",
    ]


def api_server(binaries: Binaries, files: ClusterFiles, store: EtcdFiles, *, prefix: str, port: int) -> list[str]:
    """An API server as a managed cluster has it: RBAC, default admission, no anonymous requests."""
    return [
        str(binaries.kube_apiserver),
        f"--etcd-servers={store.url}",
        f"--etcd-prefix={prefix}",
        f"--etcd-cafile={store.tls / 'ca.crt'}",
        f"--etcd-certfile={store.tls / 'tls.crt'}",
        f"--etcd-keyfile={store.tls / 'tls.key'}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={files.tls / 'tls.crt'}",
        f"--tls-private-key-file={files.tls / 'tls.key'}",
        "--authorization-mode=RBAC",
        "--anonymous-auth=false",
        f"--token-auth-file={files.tokens}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={files.signing_public}",
        f"--service-account-signing-key-file={files.signing_key}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        # A single user on one machine: fair queueing would only cost memory.
        "--enable-priority-and-fairness=false",
        "--profiling=false",
        "--event-ttl=10m",
    ]


def controller_manager(binaries: Binaries, files: ClusterFiles) -> list[str]:
    """The controllers of CONTROLLERS with limits that let a hundred namespaces go at once."""
    return [
        str(binaries.kube_controller_manager),
        f"--kubeconfig={files.controller_kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        f"--root-ca-file={files.tls / 'ca.crt'}",
        f"--service-account-private-key-file={files.signing_key}",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
        "--concurrent-namespace-syncs=50",
        "--concurrent-resource-quota-syncs=10",
        "--concurrent-serviceaccount-token-syncs=5",
        "--profiling=false",
    ]


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Variables for the Go programs: an earlier collector; no proxies, no settings or credentials of clouds.

    GOGC=50 saves a sixth of an API server's memory for a fifth more CPU time at its start. GOMEMLIMIT is left alone:
    a server that needs more than its limit spends all its time collecting.
    """
    kept = {key: base[key] for key in ("PATH", "HOME", "TMPDIR", "LANG", "TZ") if key in base}
    return {**kept, "GOGC": "50"}
