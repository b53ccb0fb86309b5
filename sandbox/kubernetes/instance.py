"""One configured provider instance: which cluster it means, or why it means none."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.kubernetes.api import Api
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.clusters import KubernetesClusters
from sandbox.kubernetes.difference import Options
from sandbox.kubernetes.kubeconfig import KubeconfigError, Target, parse, verify


class Unreachable(Exception):
    """The provider has no cluster to talk to; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A provider instance. Without an `api`, `reason` says why; the genuine provider, too, starts without a cluster
    and fails when it is used."""

    api: Api | None = None
    reason: str = ""
    namespace: str = "default"
    options: Options = field(default_factory=Options)
    upsert: bool = False
    force: bool = False
    delete_unreachable: bool = False

    def require(self) -> Api:
        """The cluster's API. Raises Unreachable."""
        if not self.api:
            raise Unreachable(
                f"{self.reason}. If that cluster was deleted, deleteUnreachable on the provider forgets what was in it"
                if self.reason
                else "the provider's kubeconfig is not known yet"
            )
        return self.api


# Of an instance whose kubeconfig a preview does not know yet: the engine never configures it.
UNCONFIGURED = Instance()


class Apis:
    """One client per cluster, shared by all provider instances."""

    def __init__(self, clusters: KubernetesClusters) -> None:
        self._clusters = clusters
        self._apis: dict[str, Api] = {}
        self._lock = threading.Lock()

    def configure(self, arguments: Mapping[str, Any]) -> Instance:
        """The instance that these provider arguments (plain values) describe."""
        try:
            api, namespace = self._connect(arguments)
            reason = ""
        except KubeconfigError as error:
            api, namespace, reason = None, "", str(error)
        return Instance(
            api=api,
            reason=reason,
            namespace=str(arguments.get("namespace") or namespace or "default"),
            options=Options(
                mutable_config_maps=_flag(arguments, "enableConfigMapMutable"),
                mutable_secrets=_flag(arguments, "enableSecretMutable"),
            ),
            upsert=_flag(arguments, "upsertExistingObjects"),
            force=_flag(arguments, "enablePatchForce"),
            delete_unreachable=_flag(arguments, "deleteUnreachable"),
        )

    def _connect(self, arguments: Mapping[str, Any]) -> tuple[Api, str]:
        text = arguments.get("kubeconfig")
        if not isinstance(text, str) or not text.strip():
            raise KubeconfigError(
                "the kubernetes provider got no kubeconfig; in the sandbox none is taken from the surroundings"
            )
        target = _target(arguments, text)
        cluster = self._clusters.find(target.server)
        if not cluster:
            known = ", ".join(f"{other.record.key.name} ({other.url})" for other in self._clusters.all()) or "none"
            raise KubeconfigError(
                f"the kubeconfig's server {target.server} is no cluster of the sandbox; it holds: {known}"
            )
        verify(target, cluster.record.key, ca_pem=cluster.ca_pem, admin_token=cluster.admin_token)
        return self._api(cluster), target.namespace

    def _api(self, cluster: Cluster) -> Api:
        with self._lock:
            # Clients of clusters that have been deleted meanwhile hold nothing but dead connections.
            known = {other.record.id for other in self._clusters.all()}
            for identifier in set(self._apis) - known:
                self._apis.pop(identifier).close()
            if cluster.record.id not in self._apis:
                api = Api(url=cluster.url, ca_pem=cluster.ca_pem, token=cluster.admin_token)
                self._apis[cluster.record.id] = api
            return self._apis[cluster.record.id]

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            while self._apis:
                self._apis.popitem()[1].close()


def _target(arguments: Mapping[str, Any], text: str) -> Target:
    return parse(text, context=str(arguments.get("context") or ""), cluster=str(arguments.get("cluster") or ""))


def cluster_of(arguments: Mapping[str, Any]) -> tuple[str, str] | None:
    """Server and CA that provider arguments (plain values) mean; None when they cannot be read."""
    text = arguments.get("kubeconfig")
    try:
        target = _target(arguments, text) if isinstance(text, str) else None
    except KubeconfigError:
        return None
    return (target.server, target.ca) if target else None


def _flag(arguments: Mapping[str, Any], name: str) -> bool:
    """A boolean argument; the engine passes provider arguments as JSON text."""
    value = arguments.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return False
    return value is True
