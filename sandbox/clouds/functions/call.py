"""What every function gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clouds.account import Account
from sandbox.clouds.catalogue import Catalogue
from sandbox.clouds.errors import CloudError
from sandbox.cluster_host import ClusterHost
from sandbox.wire import Object
from sandbox.world import Resource, World


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function call on behalf of one provider instance."""

    account: Account
    args: Mapping[str, Any]
    world: World
    catalogue: Catalogue
    clusters: ClusterHost

    @property
    def region(self) -> str:
        """The region that the call names, or the provider's."""
        return str(self.args.get("region") or self.account.region)

    def first(self, token: str, wanted: Callable[[Resource], bool], missing: str) -> Resource:
        """The resource of a type that satisfies a condition, in this account. Raises CloudError(missing)."""
        for resource in self.world.resources(self.account.package):
            if resource.key.type == token and resource.account == self.account.account and wanted(resource):
                return resource
        raise CloudError(missing)


Function = Callable[[Call], Object]
