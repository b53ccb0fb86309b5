"""Where the control plane's logs go."""

from __future__ import annotations

from pulumi import Output, ResourceOptions
from pulumi_gcp import logging

from components.spec import Place

_RESOURCES = ("k8s_cluster", "k8s_control_plane_component")
"""What audit logs and the logs of the control plane are about
(https://cloud.google.com/kubernetes-engine/docs/how-to/view-logs#accessing_your_logs)."""


def audit(name: str, *, cluster: str, unique: Output[str], days: int, place: Place, opts: ResourceOptions) -> None:
    """Keep what is logged about the cluster for `days`, in a bucket of its own in the same region.

    The project's `_Default` bucket would keep it for 30 days and is shared by everything in the project. Writes to the
    API server are always audited; reads only where the project's audit configuration asks for them, which is nobody's
    to change from a single region. `unique`: a name for the bucket that was never used before, as a deleted bucket
    keeps its name for a week.
    """
    bucket = logging.ProjectBucketConfig(
        f"{name}-control",
        project=place.account,
        location=place.location,
        bucket_id=unique,
        retention_days=days,
        description=f"Audit and control plane logs of {cluster}",
        opts=opts,
    )
    about = " OR ".join(f'"{one}"' for one in _RESOURCES)
    logging.ProjectSink(
        f"{name}-control",
        destination=Output.concat("logging.googleapis.com/", bucket.id),
        filter=(
            f"resource.type=({about})"
            f' AND resource.labels.cluster_name="{cluster}" AND resource.labels.location="{place.location}"'
        ),
        unique_writer_identity=True,
        opts=opts,
    )
