"""Managed Kubernetes clusters: behind each simulated one runs a real API server, through the cluster host."""

from __future__ import annotations

from typing import Any

from sandbox.clouds.behaviour import ClusterLink
from sandbox.clouds.errors import CloudError
from sandbox.clouds.paths import MISSING
from sandbox.clouds.templates import Context, render
from sandbox.cluster_host import ClusterEndpoint, ClusterHost, ClusterHostError, ClusterKey
from sandbox.wire import plain


def _text(template: str, context: Context) -> str:
    value = render(template, context)
    return "" if value is MISSING else str(plain(value))


def key(link: ClusterLink, context: Context) -> ClusterKey:
    """Which API server belongs to the cluster that these arguments describe."""
    return ClusterKey(
        package=context.account.package,
        account=_text(link.account, context),
        location=_text(link.location, context),
        name=_text(link.name, context),
    )


def minor(version: str) -> tuple[int, int]:
    """(1, 35) of "1.35", "v1.35.4" or "1.35.8-gke.1036000"; (0, 0) of anything else."""
    parts = version.removeprefix("v").split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit() else (0, 0)


def start(host: ClusterHost, link: ClusterLink, context: Context) -> ClusterEndpoint:
    """Start the API server of a new cluster. Raises CloudError."""
    tags: Any = plain(render(link.tags, context))
    labels = {str(k): str(v) for k, v in tags.items()} if isinstance(tags, dict) else {}
    try:
        return host.create(key(link, context), _text(link.version, context), labels)
    except ClusterHostError as error:
        raise CloudError(f"the cluster's API server did not start: {error}") from error


def upgrade(host: ClusterHost, link: ClusterLink, context: Context, before: str) -> ClusterEndpoint | None:
    """Bring the cluster's API server to the version that is asked for now.

    Raises CloudError, also for steps that no cloud takes: they upgrade one minor at a time and never go back
    (EKS UpdateClusterVersion, AKS upgrade-cluster, GKE "Upgrading clusters").
    """
    wanted = _text(link.version, context)
    old, new = minor(before), minor(wanted)
    try:
        if new in ((0, 0), old) or old == (0, 0):
            return host.endpoint(key(link, context))
        if new < old:
            raise CloudError(f"cannot downgrade the cluster from Kubernetes {before} to {wanted}")
        if new[1] > old[1] + 1:
            raise CloudError(
                f"cannot upgrade the cluster from Kubernetes {before} to {wanted}: minor versions cannot be skipped"
            )
        return host.upgrade(key(link, context), wanted)
    except ClusterHostError as error:
        raise CloudError(f"the cluster's API server was not upgraded: {error}") from error


def stop(host: ClusterHost, link: ClusterLink, context: Context) -> None:
    """Stop the API server of a cluster and forget its content. Raises CloudError."""
    try:
        host.delete(key(link, context))
    except ClusterHostError as error:
        raise CloudError(f"the cluster's API server did not stop: {error}") from error


def version_of(link: ClusterLink, context: Context) -> str:
    """The version that these arguments ask for."""
    return _text(link.version, context)
