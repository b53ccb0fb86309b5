"""Which clouds a run reaches, the simulated or the real ones, and the guard that keeps the two apart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from automation import locks
from automation.errors import UsageError
from automation.project import Project
from automation.states import WORLD_TAG, State
from sandbox import control
from sandbox.control import SandboxError
from toolchain import engine_source
from toolchain.programs import Missing, Programs, find

HOME_VARIABLE = "MERIDIAN_SANDBOX_HOME"

# What opens a door to a real cloud or a real cluster; a sandbox run has no use for any of it.
_CREDENTIALS = re.compile(
    r"AWS_|AMAZON_|ARM_|AZURE_|AZURESUBSCRIPTION_|AAD_|MSI_|IDENTITY_|GOOGLE_|GCLOUD_|GCP_|CLOUDSDK_|KUBE|K8S_|HELM_|VAULT_"
)
_SINGLE = frozenset({"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"})
# Makes this engine panic, or every import of the SDKs take more than twice as long.
_HARMFUL = re.compile(r"PULUMI_OPTION_|PYTHONDONTWRITEBYTECODE$|PYTHONHOME$")


class World(StrEnum):
    """The two worlds."""

    SANDBOX = "sandbox"
    REAL = "real"


@dataclass(frozen=True)
class Setting:
    """A world, and all that an engine needs to work in it."""

    world: World
    pulumi: Path
    version: str
    environment: Mapping[str, str]
    home: Path | None = None
    """Of the sandbox."""

    @property
    def sandbox(self) -> Path:
        """The sandbox's home; only in the sandbox."""
        if self.home is None:
            raise ValueError("there is no sandbox in the real world")
        return self.home


def sandbox_home(project: Project) -> Path:
    """Where this checkout's sandbox lives."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).expanduser().absolute() if named else project.local / "sandbox"


def programs() -> Programs:
    """What has been set up. Raises UsageError when something is missing."""
    found = find()
    if isinstance(found, Missing):
        raise UsageError(str(found))
    return found


def choose(wanted: World | None, project: Project) -> Setting:
    """The world that was asked for; without a wish the sandbox, if it runs.

    Raises UsageError when it is not there, or when the surroundings belong to the other one.
    """
    home = sandbox_home(project)
    if wanted is World.REAL:
        return _real(home)
    try:
        variables = control.environment(home)
    except SandboxError:
        choice = "" if wanted else ", or name the real clouds with `--world real`"
        raise UsageError(
            f"the sandbox of this checkout is not running: start it with `meridian sandbox up`{choice}"
        ) from None
    return _sandbox(home, variables)


def foreign(variables: Mapping[str, str]) -> Iterator[str]:
    """The names of variables that a sandbox run must not see."""
    yield from (name for name in variables if _CREDENTIALS.match(name) or name in _SINGLE or _HARMFUL.match(name))


def sandbox_variables(home: Path, found: Programs) -> dict[str, str]:
    """What a shell needs, beyond what it has, for plain `pulumi` to work in the sandbox. Raises SandboxError."""
    folders = [str(folder) for folder in (found.language_host_dir, found.pulumi.parent) if folder]
    path = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder and folder not in folders]
    return {**control.environment(home), "PATH": os.pathsep.join([*dict.fromkeys(folders), *path])}


def _sandbox(home: Path, variables: Mapping[str, str]) -> Setting:
    found = programs()
    unwanted = set(foreign(os.environ))
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment |= {**variables, **sandbox_variables(home, found), locks.DRIVER: str(os.getpid())}
    return Setting(World.SANDBOX, found.pulumi, found.pulumi_version, environment, home)


def _real(home: Path) -> Setting:
    engine, remarks = engine_source.find()
    if engine is None:
        told = "".join(f"\n  {remark}" for remark in remarks)
        raise UsageError(f"there is no usable pulumi on PATH ({engine_source.OLDEST} or newer).{told}")
    if not engine.has_host:
        raise UsageError(
            f"{engine.path} comes without Pulumi's own Python language host; ours is for the sandbox only. "
            "For real clouds install Pulumi from its vendor and put it on PATH"
        )
    for name in ("PULUMI_DEBUG_PROVIDERS", "PULUMI_DEBUG_LANGUAGES"):
        if os.environ.get(name):
            raise UsageError(f"{name} is set: real clouds are never reached through stand-in providers; unset {name}")
    for name in ("PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        if str(home) in os.environ.get(name, ""):
            raise UsageError(
                f"{name} points into the sandbox ({home}): this shell was set up by `meridian sandbox env`; "
                "use another one for the real clouds"
            )
    environment = {name: value for name, value in os.environ.items() if not _HARMFUL.match(name)}
    environment |= {"PULUMI_SKIP_UPDATE_CHECK": "true", locks.DRIVER: str(os.getpid())}
    return Setting(World.REAL, engine.path, engine.version, environment)


def check_stamp(state: State, world: World) -> None:
    """Refuse a state that describes the other world. Raises UsageError."""
    stamp = state.tags.get(WORLD_TAG)
    if stamp is None or stamp == world.value:
        return
    raise UsageError(
        f"the state of stack {state.stack} describes the {stamp} world (stack tag {WORLD_TAG}), "
        f"and this run is for the {world.value} one: nothing was done"
    )
