"""Labels as Google Cloud labels."""

from __future__ import annotations

import re

from components.labels import Labels
from components.naming import physical

LONGEST = 63


def encode(labels: Labels, component: str) -> dict[str, str]:
    """Labels of the resource with the logical name `component`."""
    return {key: slug(value) for key, value in labels.canonical(component).items()}


def slug(value: str) -> str:
    """A value as Google Cloud takes it: at most 63 lower-case letters, digits, - and _
    (https://cloud.google.com/resource-manager/docs/labels-overview#requirements).

    An address keeps its @ as a word, and what is too long ends in a hash of the whole.
    """
    legal = re.sub(r"[^a-z0-9_-]", "-", value.lower().replace("@", "-at-"))
    return legal if len(legal) <= LONGEST else physical("gcp/compute", value)
