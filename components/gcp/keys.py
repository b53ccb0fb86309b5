"""The key that a cluster's secrets are encrypted with."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import Output, ResourceOptions
from pulumi_gcp import kms, projects

from components.gcp.labels import encode
from components.labels import Labels
from components.naming import stem
from components.ordering import once_made
from components.spec import Place

_NINETY_DAYS = f"{90 * 24 * 3600}s"


@dataclass(frozen=True, kw_only=True)
class ClusterKey:
    """A key that GKE may use."""

    id: Output[str]
    """Handed out when GKE may use the key: it tries it at once."""
    ring: Output[str]
    """Name of its key ring, which no other ring of the project and location has, ever had or will have."""


def cluster_key(
    name: str, *, agent: projects.ServiceIdentity, place: Place, labels: Labels, opts: ResourceOptions
) -> ClusterKey:
    """A key that rotates every 90 days and that GKE's own agent may use.

    Key rings and keys stay for ever, only their versions are destroyed: hence the random part of their names, which
    Pulumi adds (https://cloud.google.com/kms/docs/faq#cannot_delete).
    """
    ring = kms.KeyRing(stem("gcp/kms", name), location=place.location, opts=opts)
    key = kms.CryptoKey(
        stem("gcp/kms", f"{name}-secrets"),
        key_ring=ring.id,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=_NINETY_DAYS,
        labels=encode(labels, f"{name}-secrets"),
        opts=opts,
    )
    grant = kms.CryptoKeyIAMMember(
        f"{name}-secrets",
        crypto_key_id=key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=agent.member,
        opts=opts,
    )
    return ClusterKey(id=once_made(key.id, grant), ring=ring.name)
