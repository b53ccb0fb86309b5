"""The Google Cloud provider of one project and region."""

from __future__ import annotations

from pulumi import ProviderResource
from pulumi_gcp import Provider

from components.spec import Place


def provider(name: str, *, place: Place) -> ProviderResource:
    """Works in the project that the region names. Labels are all ours: none is added behind the program's back."""
    return Provider(name, project=place.account, region=place.location, add_pulumi_attribution_label=False)
