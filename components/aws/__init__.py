"""AWS: the functions of components.clouds.CloudApi, and nothing more."""

from __future__ import annotations

from components.aws.cluster import cluster
from components.aws.identity import workload_identity
from components.aws.network import network
from components.aws.provider import provider

__all__ = ["cluster", "network", "provider", "workload_identity"]
