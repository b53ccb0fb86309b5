"""The slice of one region: what stands in the cloud itself. What runs inside the cluster is other slices' business."""

from __future__ import annotations

from typing import Any

from pulumi import ResourceOptions

from components.clouds import CLOUDS
from components.cluster import Cluster
from components.network import Network
from stacks.exports import encode
from stacks.model import Environment
from stacks.slices import Slice


async def region(environment: Environment, part: Slice) -> dict[str, Any]:
    """Register the region's network and cluster; returns the stack's outputs `network_…` and `cluster_…`."""
    region = environment.region(part.region)
    name, place, labels = f"{environment.name}-{region.name}", region.place, environment.labels_of(part)
    provider = CLOUDS[place.cloud].provider("cloud", place=place)

    network = Network(name, spec=region.network, place=place, labels=labels, opts=ResourceOptions(providers=[provider]))
    cluster = Cluster(
        name,
        spec=region.cluster,
        addresses=region.network,
        network=network.outputs,
        place=place,
        labels=labels,
        opts=ResourceOptions(providers=[provider], protect=region.protect),
    )
    return encode(network=network.outputs, cluster=cluster.outputs)
