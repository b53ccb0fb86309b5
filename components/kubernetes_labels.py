"""Labels and metadata as Kubernetes carries them: the same vocabulary as the clouds', in Kubernetes' own rules.

Keys: `app.kubernetes.io/part-of` and `app.kubernetes.io/managed-by` where the community has a key, `meridian.dev/<key>`
elsewhere. Values: at most 63 of letters, digits, `-`, `_` and `.`, alphanumeric at both ends
(https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/). What a label cannot carry as it is, such as
an address, stands in an annotation of the same key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from pulumi import Input
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from components.labels import Labels

DOMAIN = "meridian.dev"
"""Prefix of every label and annotation key of ours."""

TENANT = f"{DOMAIN}/tenant"
"""Label on everything that belongs to a tenant, and by which policies and peers know a tenant's namespace."""

GROUPS = f"{DOMAIN}/groups"
"""Annotation on a tenant's namespace: its groups of people, joined by commas. Only these may be bound in it."""

OWNER = f"{DOMAIN}/owner"
"""Label (as a slug) and annotation (as written) of whoever answers for the object."""

_WELL_KNOWN = {"project": "app.kubernetes.io/part-of", "managed_by": "app.kubernetes.io/managed-by"}
_MAX_VALUE = 63


def key(canonical: str) -> str:
    """The Kubernetes label key of a canonical key, such as `meridian.dev/cost-center` of cost_center."""
    return _WELL_KNOWN.get(canonical, f"{DOMAIN}/{canonical.replace('_', '-')}")


def value(text: str) -> str:
    """`text` as a label value. What is too long is cut and told apart by a hash of the whole."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", text.replace("@", "-at-")).strip("-._")
    if len(slug) <= _MAX_VALUE:
        return slug
    digest = sha256(text.encode()).hexdigest()[:8]
    return f"{slug[: _MAX_VALUE - len(digest) - 1].rstrip('-._')}-{digest}"


def encode(labels: Labels, component: str) -> dict[str, str]:
    """All labels of the object with the logical name `component`."""
    return {key(name): value(text) for name, text in labels.canonical(component).items()}


def metadata(
    name: str,
    *,
    labels: Labels,
    component: str,
    namespace: Input[str] | None = None,
    extra_labels: Mapping[str, str] | None = None,
    annotations: Input[Mapping[str, str]] | None = None,
) -> ObjectMetaArgsDict:
    """Metadata with an explicit name: names inside a cluster are contracts, other objects and people refer to them."""
    meta: ObjectMetaArgsDict = {
        "name": name,
        "labels": {**encode(labels, component), **(extra_labels or {})},
    }
    if namespace is not None:
        meta["namespace"] = namespace
    if annotations is not None:
        meta["annotations"] = annotations
    return meta
