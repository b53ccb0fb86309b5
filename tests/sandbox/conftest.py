"""One sandbox for all tests of this folder, and `staging` brought up in it once.

The tests share a worker (tests/conftest.py): the sandbox takes more than a gigabyte, and bringing staging up takes
longest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.paths import Home
from sandbox.processes import ProcessTable
from tests.sandbox.checkout import Checkout, Done
from toolchain.programs import Programs

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here need the engine and share one sandbox."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def checkout(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy of the project whose sandbox runs. Afterwards no process of it may be left."""
    made = Checkout.make(tmp_path_factory.mktemp("checkout"))
    made.well("sandbox", "up")
    records = [record.pid for record in ProcessTable(Home.at(made.home).processes).records()]
    yield made
    made.well("sandbox", "down")
    assert not made.running()
    assert not [pid for pid in records if psutil.pid_exists(pid)]


@pytest.fixture(scope="session")
def brought_up(checkout: Checkout) -> Done:
    """How `meridian up staging` ended in an empty world."""
    return checkout.well("up", "staging")


@pytest.fixture(scope="session")
def staging(checkout: Checkout, brought_up: Done) -> Checkout:
    """A checkout whose staging is up. Tests may preview other descriptions, but apply none."""
    return checkout


@pytest.fixture
def described(staging: Checkout) -> Iterator[Checkout]:
    """The same, for tests that edit files: they are put back afterwards."""
    kept = {
        path: path.read_text() for path in (*staging.root.glob("Pulumi.*.yaml"), *staging.root.glob("tenants/*.yaml"))
    }
    main = staging.root / "__main__.py"
    kept[main] = main.read_text()
    yield staging
    for path in (*staging.root.glob("Pulumi.*.yaml"), *staging.root.glob("tenants/*.yaml")):
        if path not in kept:
            path.unlink()
    for path, text in kept.items():
        path.write_text(text)
