"""Azure: the functions of components.clouds.CloudApi, and nothing more."""

from __future__ import annotations

from components.azure.cluster import cluster
from components.azure.identity import workload_identity
from components.azure.network import network
from components.azure.provider import provider

__all__ = ["cluster", "network", "provider", "workload_identity"]
