"""Pod Security admission: what the API server itself refuses to run in a namespace."""

from __future__ import annotations

from collections.abc import Mapping

_VERSION = "v1.35"
"""The version of the standard that is enforced. Written down, so that an upgrade of a cluster never refuses what ran
the day before; warnings and audit follow the cluster's own version and show what the next step will ask for."""

RESTRICTED: Mapping[str, str] = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": _VERSION,
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/audit-version": "latest",
    "pod-security.kubernetes.io/warn": "restricted",
    "pod-security.kubernetes.io/warn-version": "latest",
}
"""Labels of a namespace that runs only pods without privileges, host access or root
(https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted)."""
