"""Fixtures for all tests, and which of them share a worker."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from toolchain import programs as toolchain_programs
from toolchain.programs import Programs


class SharedSandboxes(LoadScopeScheduling):
    """Tests that share a sandbox run in one worker, one after the other; all others wherever there is room.

    Each sandbox takes up to a gigabyte, and bringing clusters up takes longest. The marks of xdist for the same
    (`xdist_group`) have no effect under this version of pytest.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        if file.startswith("tests/sandbox/"):
            return "tests/sandbox"
        return file if file.startswith("tests/sandbox_kubernetes/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharedSandboxes:
    """Called by xdist (https://pytest-xdist.readthedocs.io/en/stable/distribution.html)."""
    return SharedSandboxes(config, log)


@pytest.fixture(scope="session")
def programs() -> Programs:
    """The programs that the sandbox runs. Their absence is a failure, not a reason to skip."""
    found = toolchain_programs.find()
    assert isinstance(found, Programs), str(found)
    return found
