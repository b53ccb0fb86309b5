"""The Azure provider of one subscription and location."""

from __future__ import annotations

from pulumi import ProviderResource
from pulumi_azure_native import Provider

from components.spec import Place


def provider(name: str, *, place: Place) -> ProviderResource:
    """Works in the subscription that the region names, whatever the command line of Azure has selected."""
    return Provider(name, subscription_id=place.account, location=place.location)
