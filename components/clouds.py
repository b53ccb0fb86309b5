"""The one place that knows which cloud is which.

Each cloud is a folder with the same files and functions, held to `CloudApi` by the type checker and a contract test.
Folders are imported on first use: a stack on one cloud loads that cloud's SDK and no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Protocol, cast

from pulumi import ProviderResource, ResourceOptions

from components.labels import Labels
from components.outputs import ClusterOutputs, NetworkOutputs, WorkloadIdentityOutputs
from components.spec import Cloud, ClusterSpec, NetworkSpec, Place


class CloudApi(Protocol):
    """What aws/, azure/ and gcp/ each export, and nothing more."""

    def provider(self, name: str, *, place: Place) -> ProviderResource:
        """The explicit provider of one account and location; no parent, the same name everywhere."""
        ...

    def network(
        self, name: str, *, spec: NetworkSpec, place: Place, labels: Labels, opts: ResourceOptions
    ) -> NetworkOutputs:
        """Public, private and data subnets over three zones, NAT, and a firewall that denies by default."""
        ...

    def cluster(
        self,
        name: str,
        *,
        spec: ClusterSpec,
        addresses: NetworkSpec,
        network: NetworkOutputs,
        place: Place,
        labels: Labels,
        opts: ResourceOptions,
    ) -> ClusterOutputs:
        """Private control plane with envelope encryption, audit logs, workload identity and a system pool."""
        ...

    def workload_identity(
        self,
        name: str,
        *,
        cluster: ClusterOutputs,
        namespace: str,
        service_account: str,
        place: Place,
        labels: Labels,
        opts: ResourceOptions,
    ) -> WorkloadIdentityOutputs:
        """Bind a Kubernetes service account to an identity of the cloud, without keys."""
        ...


class _Clouds(Mapping[Cloud, CloudApi]):
    """Cloud -> module, imported when first asked for."""

    _MODULES: Mapping[Cloud, str] = {
        Cloud.AWS: "components.aws",
        Cloud.AZURE: "components.azure",
        Cloud.GCP: "components.gcp",
    }

    def __getitem__(self, cloud: Cloud) -> CloudApi:
        return cast(CloudApi, import_module(self._MODULES[cloud]))

    def __iter__(self) -> Iterator[Cloud]:
        return iter(self._MODULES)

    def __len__(self) -> int:
        return len(self._MODULES)


CLOUDS: Mapping[Cloud, CloudApi] = _Clouds()

__all__ = ["CLOUDS", "CloudApi"]
