"""Google Cloud: the functions of components.clouds.CloudApi, and nothing more."""

from __future__ import annotations

from components.gcp.cluster import cluster
from components.gcp.identity import workload_identity
from components.gcp.network import network
from components.gcp.provider import provider

__all__ = ["cluster", "network", "provider", "workload_identity"]
