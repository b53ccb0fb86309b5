"""A region's network, the same shape on every cloud."""

from __future__ import annotations

from pulumi import ComponentResource, ResourceOptions

from components.clouds import CLOUDS
from components.labels import Labels
from components.outputs import NetworkOutputs
from components.spec import NetworkSpec, Place


class Network(ComponentResource):
    """Private subnets for nodes, data and the API server, public ones for load balancers, NAT, a closed firewall.

    Lets nothing in from the internet and owns no provider. The plan of addresses is in `components.subnets`, the
    firewall in `components.intents`.
    """

    outputs: NetworkOutputs

    def __init__(
        self, name: str, *, spec: NetworkSpec, place: Place, labels: Labels, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("meridian:components:Network", name, None, opts)
        self.outputs = CLOUDS[place.cloud].network(
            name, spec=spec, place=place, labels=labels, opts=ResourceOptions(parent=self)
        )
        self.register_outputs(vars(self.outputs))
