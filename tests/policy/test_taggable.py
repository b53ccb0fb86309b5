from __future__ import annotations

from policies.rules.tagging import taggable
from tests.policy.sdk_tags import TABLE, derive, written


def test_the_table_holds_every_taggable_type_of_the_installed_sdks() -> None:
    assert TABLE.read_text(encoding="utf-8") == written(derive()), "run: python -m tests.policy.sdk_tags"


def test_the_three_clouds_are_there() -> None:
    packages = [type_.partition(":")[0] for type_ in taggable()]
    assert {package: packages.count(package) >= least for package, least in _AT_LEAST.items()} == dict.fromkeys(
        _AT_LEAST, True
    )


_AT_LEAST = {"aws": 800, "azure-native": 900, "gcp": 300, "kubernetes": 1}


def test_what_means_something_else_by_labels_is_not_taken_for_tags() -> None:
    assert taggable()["gcp:monitoring/notificationChannel:NotificationChannel"] == ("userLabels",)
    assert "gcp:cloudidentity/group:Group" not in taggable()  # its labels say what kind of group it is
    assert taggable()["aws:eks/nodeGroup:NodeGroup"] == ("tags",)  # not the labels of its nodes
