"""What clouds do not let anybody do with a key."""

from __future__ import annotations

import pytest

from components.spec import Cloud
from tests.contract.conftest import Deployment

KEYS = {
    Cloud.AWS: "aws:kms/key:Key",
    Cloud.AZURE: "azure-native:keyvault:Key",
    Cloud.GCP: "gcp:kms/cryptoKey:CryptoKey",
}


def test_every_cluster_has_one_key_of_its_own(region: Deployment) -> None:
    assert region.one(KEYS[region.cloud])


@pytest.mark.parametrize(
    ("cloud", "left_alone", "kept"),
    [
        (Cloud.AWS, (), False),
        # ARM refuses any change of a key, and the vault's own endpoint, by which the provider deletes keys, is closed.
        (Cloud.AZURE, ("tags", "properties"), True),
        (Cloud.GCP, (), False),
    ],
)
def test_a_key_is_changed_and_deleted_only_where_the_cloud_allows_it(
    regions: dict[Cloud, Deployment], cloud: Cloud, left_alone: tuple[str, ...], kept: bool
) -> None:
    key = regions[cloud].one(KEYS[cloud])
    assert key.ignore_changes == left_alone
    assert key.retain_on_delete is kept
