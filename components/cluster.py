"""A region's Kubernetes cluster, the same shape on every cloud."""

from __future__ import annotations

from pulumi import ComponentResource, ResourceOptions

from components.clouds import CLOUDS
from components.labels import Labels
from components.outputs import ClusterOutputs, NetworkOutputs
from components.spec import ClusterSpec, NetworkSpec, Place


class Cluster(ComponentResource):
    """A private control plane with its own encryption key, audit logs, workload identity and a system pool.

    Owns no provider and puts nothing inside the cluster. Whether it may be deleted is the engine's `protect`, inherited
    from `opts`, on every cloud alike; the clouds' own switches against deletion stay off, since they would stop the
    engine half-way through a `destroy` that was meant.
    """

    outputs: ClusterOutputs

    def __init__(
        self,
        name: str,
        *,
        spec: ClusterSpec,
        addresses: NetworkSpec,
        network: NetworkOutputs,
        place: Place,
        labels: Labels,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("meridian:components:Cluster", name, None, opts)
        self.outputs = CLOUDS[place.cloud].cluster(
            name,
            spec=spec,
            addresses=addresses,
            network=network,
            place=place,
            labels=labels,
            opts=ResourceOptions(parent=self),
        )
        endpoints = self.outputs.identity_endpoints.apply(lambda found: [dict(vars(one)) for one in found])
        # The engine stores plain data, not dataclasses.
        self.register_outputs({**vars(self.outputs), "identity_endpoints": endpoints})
