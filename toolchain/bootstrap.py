"""Makes the project's virtual environment from the lock file: `python -m toolchain.bootstrap`.

Runs before anything is installed, so on the standard library alone. Every wheel is checked against its hash in
requirements.lock, and nothing is built. A mark, written last, holds a digest of what went in: with it in place
another run ends at once; without it (interrupted, or another lock file) the environment is completed or made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from toolchain.running import StepFailed, elapsed, run

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
HEAVY = "pulumi_aws|pulumi_azure_native|pulumi_gcp|pulumi_kubernetes"
"""Packages of thousands of modules of which a program uses a few: compiled when imported, not all beforehand."""

_LAUNCHER = """\
#!/bin/sh
'''exec' env -u PYTHONDONTWRITEBYTECODE "{python}" -P "$0" "$@"
' '''
import sys

from automation.cli import main

sys.exit(main())
"""


class SetupError(Exception):
    """The set-up cannot go on; the message says what the user can do."""


def say(line: str) -> None:
    """Shows one line."""
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


class Environment:
    """The virtual environment `.venv` of the project in `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / ".venv"
        self.python = self.path / "bin" / "python"
        self.launcher = self.path / "bin" / "meridian"
        self.lock = root / "requirements.lock"
        self.mark = self.path / "meridian.json"
        self.log = root / ".meridian" / "log" / "bootstrap.log"
        self.held: tuple[int, ...] = ()

    def wanted(self) -> dict[str, str]:
        """What the mark says when the environment is as this checkout needs it."""
        inputs = hashlib.sha256(self.lock.read_bytes() + Path(__file__).read_bytes()).hexdigest()
        return {"inputs": inputs, "place": str(self.path)}

    def complete(self) -> bool:
        """Whether nothing is to be done."""
        return self._marked() == self.wanted() and os.access(self.python, os.X_OK) and self.launcher.exists()

    def _marked(self) -> dict[str, str]:
        try:
            return json.loads(self.mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def usable(self) -> bool:
        """Whether what is there can be completed: its interpreter runs, has pip, and was made in this place."""
        if self._marked().get("place", str(self.path)) != str(self.path):
            return False  # copied or moved: its scripts still point at the old place
        check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST} or sys.prefix != {str(self.path)!r})"
        return self.python.exists() and _succeeds([str(self.python), "-c", check])

    def make(self) -> None:
        """Makes or completes the environment. Raises SetupError or StepFailed."""
        started = time.monotonic()
        self.mark.unlink(missing_ok=True)
        if self.usable():
            say("virtual environment: completing .venv from requirements.lock")
            try:
                self._install()
            except StepFailed:
                say("virtual environment: .venv cannot be completed, making it anew")
                self._create()
                self._install()
        else:
            say(f"virtual environment: making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
            self._create()
            self._install()
        self._connect()
        self._compile()
        _write(self.mark, json.dumps(self.wanted()))
        say(f"virtual environment ready: {elapsed(started)}")

    def _create(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        for name, way in _ways(self.path, lambda command, title: self._run(command, title)):
            say(f"virtual environment: using {name}")
            try:
                way()
            except StepFailed as error:
                say(f"virtual environment: {name} does not work here: {str(error).splitlines()[0]}")
                shutil.rmtree(self.path, ignore_errors=True)
            else:
                return
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"{sys.executable} cannot make virtual environments: it has no ensurepip, and there is no virtualenv, no "
            f"pip, and no right to install packages.\nInstall the missing part (Debian, Ubuntu: apt-get install "
            f"python{version}-venv) and run make again, or name another Python: make PYTHON=/path/to/python"
        )

    def _install(self) -> None:
        counted = 0
        names = self.lock.read_text(encoding="utf-8").count("==")
        unpacking = False

        def count(line: str) -> None:
            nonlocal counted, unpacking
            counted += line.startswith(("Collecting ", "Requirement already satisfied: "))
            unpacking |= line.startswith("Installing collected packages")

        def state() -> str:
            return "unpacking" if unpacking else f"fetched {counted} of at most {names}"

        command = [str(self.python), *_PIP, "--requirement", str(self.lock)]
        self._run(command, "packages", state, count)

    def _connect(self) -> None:
        """Lets the environment import the project's packages, and puts the `meridian` command into it."""
        asked = subprocess.run(
            [str(self.python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
            capture_output=True,
            text=True,
            check=True,
        )
        _write(Path(asked.stdout.strip()) / "meridian.pth", f"{self.root}\n")
        _write(self.launcher, _LAUNCHER.format(python=self.python))
        self.launcher.chmod(0o755)

    def _compile(self) -> None:
        """Compiles once what otherwise each of the first processes would compile for itself."""
        libraries = next((self.path / "lib").glob("python*/site-packages"))
        bytecode = [str(self.python), "-m", "compileall", "-q", "-j", "0", "-x", f"/({HEAVY})/", str(libraries)]
        with contextlib.suppress(StepFailed):  # some packages ship files for other versions of Python
            self._run(bytecode, "bytecode")
        for package in sorted((self.root / "components").glob("*/__init__.py")):
            imported = [str(self.python), "-c", f"import components.{package.parent.name}"]
            with contextlib.suppress(StepFailed):  # whoever runs the program sees its errors, here they don't matter
                self._run(imported, f"bytecode of the SDK for components/{package.parent.name}")

    def _run(
        self,
        command: list[str],
        title: str,
        state: Callable[[], str] = str,
        on_line: Callable[[str], object] = str,
    ) -> None:
        env = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME")
        }
        run(
            command,
            title=title,
            log=self.log,
            progress=say,
            state=state,
            on_line=on_line,
            env=env,
            cwd=self.root,
            inherits=self.held,
        )


_PIP = [
    *("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--require-hashes"),
    *("--only-binary=:all:", "--no-compile", "--progress-bar=off"),
]

Way = tuple[str, Callable[[], None]]


def _ways(path: Path, start: Callable[[list[str], str], None]) -> Iterator[Way]:
    """The ways to make an environment at `path` that this machine may offer, the least intrusive first."""
    python = sys.executable
    plain = [python, "-m", "venv", str(path)]
    if _succeeds([python, "-c", "import ensurepip"]):
        yield "venv", lambda: start(plain, "venv")
    if _succeeds([python, "-m", "virtualenv", "--version"]):
        yield "virtualenv", lambda: start([python, "-m", "virtualenv", str(path)], "virtualenv")
    elif virtualenv := shutil.which("virtualenv"):
        yield virtualenv, lambda: start([virtualenv, "--python", python, str(path)], "virtualenv")
    if _succeeds([python, "-m", "pip", "--version"]):

        def with_pip() -> None:
            start([*plain, "--without-pip"], "venv")
            lock = str(Path(__file__).with_name("pip.lock"))
            into = [python, "-m", "pip", "--python", str(path / "bin" / "python"), *_PIP[2:]]
            start([*into, "--requirement", lock], "pip")

        yield "venv with the pip of this Python", with_pip
    if apt := _apt():

        def with_apt() -> None:
            package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
            try:
                start([*apt, "install", "--yes", package], f"apt-get install {package}")
            except StepFailed:
                start([*apt, "update"], "apt-get update")
                start([*apt, "install", "--yes", package], f"apt-get install {package}")
            start(plain, "venv")

        yield "venv, after installing it with apt-get", with_apt


def _apt() -> list[str] | None:
    """How to call apt-get with the right to install, None without that right."""
    found = shutil.which("apt-get")
    if not found:
        return None
    if os.geteuid() == 0:
        return ["env", "DEBIAN_FRONTEND=noninteractive", found]
    if shutil.which("sudo") and _succeeds(["sudo", "-n", "true"]):
        return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", found]
    return None


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def _write(path: Path, text: str) -> None:
    """Writes so that the file is there whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


@contextlib.contextmanager
def alone(root: Path) -> Generator[int]:
    """Keeps a second set-up of the same checkout waiting until this one is done; gives the lock's descriptor.

    Whoever inherits the descriptor holds the lock too: when we are killed, the pip we leave behind keeps others out
    until it has ended.
    """
    lock = root / ".meridian" / "bootstrap.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        started = time.monotonic()
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                say(f"another set-up of this checkout runs, waiting: {elapsed(started)}")
                time.sleep(5)
        yield file.fileno()


def main(root: Path = ROOT) -> int:
    """Sees to it that the environment is complete; 0 when it is."""
    environment = Environment(root)
    try:
        if not environment.complete():
            with alone(root) as held:
                environment.held = (held,)
                if not environment.complete():
                    environment.make()
    except (SetupError, StepFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"the virtual environment cannot be made: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the next set-up completes the virtual environment\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
