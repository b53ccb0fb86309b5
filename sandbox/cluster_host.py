"""What the simulated clouds ask of whoever runs the real Kubernetes API servers, and nothing more.

`sandbox.clouds` sees clusters only through `ClusterHost`; `sandbox.kubernetes` implements it with processes.
Unit tests of the clouds may implement it with a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class ClusterHostError(Exception):
    """A cluster could not be started, stopped or found; the message says what to do."""


@dataclass(frozen=True, kw_only=True, order=True)
class ClusterKey:
    """Identity of one simulated managed cluster: two clouds, accounts or locations may use the same name.

    `package` is the provider package ("aws", "azure-native", "gcp"); `account` the AWS account, Azure
    subscription or GCP project; `location` the region or zone; `name` the cluster's physical name. On Azure,
    where two resource groups may hold clusters of one name, `account` is "<subscription>/<resource group>".
    """

    package: str
    account: str
    location: str
    name: str

    def __str__(self) -> str:
        return f"{self.package}/{self.account}/{self.location}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class ClusterEndpoint:
    """Where a cluster's API server listens. `url` and `ca_pem` stay the same when the sandbox restarts.

    `version` is what the running API server answers ("1.35.4"), whatever version was asked for.
    """

    url: str
    ca_pem: str
    version: str

    @property
    def address(self) -> str:
        """Host and port without the scheme, e.g. "127.0.0.1:21443"."""
        return self.url.removeprefix("https://")


class ClusterHost(Protocol):
    """Runs one real API server per simulated cluster. Every method may be called from several threads."""

    def create(self, key: ClusterKey, version: str, tags: Mapping[str, str] | None = None) -> ClusterEndpoint:
        """Start an API server with an empty store and return when it is ready.

        A cluster that already exists under this key (its creation was interrupted) is returned as it is.
        Raises ClusterHostError.
        """
        ...

    def delete(self, key: ClusterKey) -> None:
        """Stop the API server and remove everything that was inside it; an unknown key is no error."""
        ...

    def endpoint(self, key: ClusterKey) -> ClusterEndpoint | None:
        """The endpoint of a cluster that exists, else None."""
        ...

    def upgrade(self, key: ClusterKey, version: str) -> ClusterEndpoint:
        """Record another requested version; the endpoint keeps saying what the API server really is.

        Raises ClusterHostError for an unknown key.
        """
        ...
