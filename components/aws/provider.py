"""The AWS provider of one account and region."""

from __future__ import annotations

from pulumi import ProviderResource
from pulumi_aws import Provider

from components.spec import Place


def provider(name: str, *, place: Place) -> ProviderResource:
    """Refuses to work in any account but the one that the region names, whatever credentials it finds."""
    return Provider(name, region=place.location, allowed_account_ids=[place.account])
