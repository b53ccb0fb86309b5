from __future__ import annotations

from pathlib import Path

import pytest

from toolchain import versions
from toolchain.versions import Version


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("v3.259.0\n", Version(3, 259, 0)),
        ("Kubernetes v1.35.4", Version(1, 35, 4)),
        ("etcd Version: 3.6.5\nGit SHA: abc\nGo Version: go1.26.8", Version(3, 6, 5)),
        ("go1.26.8", Version(1, 26, 8)),
        ("go1.27", Version(1, 27, 0)),
        ("v3.260.0-alpha.1+dirty", Version(3, 260, 0)),
        ("devel go1.28-a1b2c3 linux/amd64", Version(1, 28, 0)),
        ("command not found", None),
        ("42", None),
    ],
)
def test_a_version_is_found_in_what_a_program_prints(printed, version):
    assert Version.find(printed) == version


def test_versions_are_ordered_by_number_not_by_spelling():
    assert Version(3, 9) < Version(3, 10) < Version(3, 259, 1)


def test_a_program_that_fails_or_is_not_there_has_no_version(tmp_path: Path):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho v1.2.3\nexit 1\n")
    broken.chmod(0o755)
    assert versions.ask(broken, "version") is None
    assert versions.ask(tmp_path / "absent", "version") is None
