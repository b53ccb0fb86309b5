"""Fixtures for all tests."""

from __future__ import annotations

import pytest

from toolchain import programs as toolchain_programs
from toolchain.programs import Programs


@pytest.fixture(scope="session")
def programs() -> Programs:
    """The programs that the sandbox runs. Their absence is a failure, not a reason to skip."""
    found = toolchain_programs.find()
    assert isinstance(found, Programs), str(found)
    return found
