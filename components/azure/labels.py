"""Labels as Azure tags."""

from __future__ import annotations

from components.labels import Labels

LONGEST = 256
MOST = 15
"""What the pickiest services take (DNS, CDN, Automation); others take 50."""


def encode(labels: Labels, component: str) -> dict[str, str]:
    """Tags of the resource with the logical name `component`: values of at most 256 characters, any of them
    (https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations)."""
    return {key: value[:LONGEST] for key, value in labels.canonical(component).items()}
