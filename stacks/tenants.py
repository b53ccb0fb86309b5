"""A slice of tenants in one region: each one's namespace in the cluster and its identity in the cloud."""

from __future__ import annotations

from typing import Any

from pulumi import ResourceOptions
from pulumi_kubernetes import Provider

from components.clouds import CLOUDS
from components.outputs import ClusterOutputs, PlatformOutputs
from components.tenant_namespace import TenantNamespace
from stacks.exports import encode, plain, read
from stacks.model import Environment
from stacks.slices import Slice


async def tenants(environment: Environment, part: Slice) -> dict[str, Any]:
    """Register the slice's tenants; returns the stack's output `tenants`, by id."""
    region, platform = part.upstream
    cluster = (await read(region)).decode(ClusterOutputs, "cluster")
    (await read(platform)).decode(PlatformOutputs, "platform")  # tenants name its priority classes
    place, labels = environment.region(part.region).place, environment.labels_of(part)
    providers = [CLOUDS[place.cloud].provider("cloud", place=place), Provider("cluster", kubeconfig=cluster.kubeconfig)]

    made = {
        tenant.id: TenantNamespace(
            tenant.id,
            tenant=tenant,
            cluster=cluster,
            place=place,
            labels=labels,
            opts=ResourceOptions(providers=providers),
        )
        for tenant in environment.tenants_of(part)
    }
    return encode() | {"tenants": {name: plain(one.outputs) for name, one in made.items()}}
