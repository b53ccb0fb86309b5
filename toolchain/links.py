"""Puts our Python language host beside an engine that has none.

An engine looks for `pulumi-language-python` on PATH and beside its own executable, and warns at every operation
when the two differ. So each virtual environment gets a folder of its own with a hard link to the engine and a
launcher of the host; with that folder first on PATH both places are the same.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from toolchain import cache
from toolchain.engine_source import LANGUAGE_HOST

HOST = Path(__file__).with_name("language_host.py").resolve()

_LAUNCHER = """\
#!/bin/sh
if [ ! -x {python} ]; then
    echo "pulumi-language-python: "{python}" is gone: run 'make setup' in "{project} >&2
    exit 1
fi
unset PYTHONDONTWRITEBYTECODE
exec {python} -P {host} "$@"
"""


def place(engine: Path, version: str) -> Path:
    """The folder, named `bin`, that holds a link to `engine` and the launcher; made when it is not there yet."""
    own = Path(sys.prefix, "bin", "python")  # one name, whichever of its names the interpreter was started by
    python = own if own.exists() else Path(sys.executable).absolute()
    key = cache.digest([str(engine), str(python), str(HOST)])
    folder = cache.folder() / f"pulumi-{version}-with-host-{key}" / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    pulumi = folder / "pulumi"
    if not pulumi.exists() or pulumi.stat().st_size != engine.stat().st_size:
        _put(pulumi, lambda temporary: _link(engine, temporary))
    quoted = {"python": python, "host": HOST, "project": HOST.parent.parent}
    text = _LAUNCHER.format(**{name: shlex.quote(str(value)) for name, value in quoted.items()})
    launcher = folder / LANGUAGE_HOST
    if not (launcher.exists() and launcher.read_text(encoding="utf-8") == text):
        _put(launcher, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return folder


def _link(engine: Path, target: Path) -> None:
    try:
        os.link(engine.resolve(), target)
    except OSError:  # a file system without hard links
        shutil.copyfile(engine, target)


def _put(path: Path, write: Callable[[Path], object]) -> None:
    """Has `write` make an executable file that then appears at `path` at once, whoever else does the same."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as temporary:
        new = Path(temporary) / path.name
        write(new)
        if not os.access(new, os.X_OK):
            new.chmod(0o755)
        new.replace(path)
