"""The slice of what every tenant of a cluster relies on, inside the cluster."""

from __future__ import annotations

from typing import Any

from pulumi import ResourceOptions
from pulumi_kubernetes import Provider

from components.outputs import ClusterOutputs
from components.platform_namespaces import PlatformNamespaces
from stacks.exports import encode, read
from stacks.model import Environment
from stacks.slices import Slice


async def platform(environment: Environment, part: Slice) -> dict[str, Any]:
    """Register what the cluster holds for everyone; returns the stack's outputs `platform_…`."""
    (region,) = part.upstream
    cluster = (await read(region)).decode(ClusterOutputs, "cluster")
    provider = Provider("cluster", kubeconfig=cluster.kubeconfig)

    platform = PlatformNamespaces(
        "platform",
        cluster=cluster,
        labels=environment.labels_of(part),
        opts=ResourceOptions(providers=[provider]),
    )
    return encode(platform=platform.outputs)
