"""Environments, read from YAML and checked as a whole, before anything is registered.

`Pulumi.<name>.yaml` says where an environment runs (`config: meridian:platform:`), each file in `tenants/` who lives in
it. The program reads these files itself: stack configuration stays nearly empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from components.spec import TenantSpec
from stacks import checks
from stacks.documents import Document, read
from stacks.errors import ConfigError, ConfigErrors, near_miss, one_of
from stacks.model import Environment, Mode, Ownership, Platform, Region, Role, lives_in
from stacks.slices import Slice
from stacks.translate import Source, validate

PLATFORM = ("config", "meridian:platform")
"""Where an environment's file holds what is ours."""

_FILE = re.compile(r"Pulumi\.(?P<name>[a-z][a-z0-9]*(-[a-z0-9]+)*)\.yaml")
# What the engine itself writes into a file of this name; harmless, and not ours to read.
_ENGINE_KEYS = frozenset({"encryptionsalt", "encryptedkey", "secretsprovider", "environment"})


def environments(root: Path) -> tuple[str, ...]:
    """Names of the environments that have a file in the project's root."""
    matches = (_FILE.fullmatch(path.name) for path in root.glob("Pulumi.*.yaml"))
    return tuple(sorted(match["name"] for match in matches if match and 2 <= len(match["name"]) <= 24))


def load(root: Path, name: str) -> Environment:
    """Read and check an environment and its tenants.

    Raises `ConfigErrors` with every problem found, in the environment's file as well as in the tenants'.
    """
    known = environments(root)
    if name not in known:
        missing = f"no file Pulumi.{name}.yaml in {root.resolve()}"
        unusable = f"Pulumi.{name}.yaml is there, but a name has 2 to 24 lower-case letters, digits and single hyphens"
        why = unusable if (root / f"Pulumi.{name}.yaml").is_file() else missing
        problem = f'there is no environment "{name}": {why}'
        raise ConfigErrors([ConfigError(problem=problem, accepted=one_of(known), near=near_miss(name, known))])

    errors: list[ConfigError] = []
    platform, regions = _platform(root, name, errors)
    tenants = list(_tenants(root, errors))
    # Of other environments, what can be read: their own mistakes are told when they are loaded themselves.
    others = {other: _platform(root, other, []) for other in known if other != name}
    taken = {other: theirs for other, (_, theirs) in others.items()}
    errors.extend(checks.of_regions(regions, taken, complete=platform is not None))
    platforms = {name: platform} | {other: theirs for other, (theirs, _) in others.items()}
    names = {each: [region.name for region in one.regions] if one else None for each, one in platforms.items()}
    errors.extend(checks.of_tenants(name, tenants, names))
    if errors or platform is None:
        raise ConfigErrors(errors)
    living = sorted((one.model for one in tenants if lives_in(one.model, name)), key=lambda tenant: tenant.id)
    return Environment(name=name, labels=platform.labels, regions=platform.regions, tenants=tuple(living))


def find(root: Path, stack: str) -> tuple[Environment, Slice]:
    """The environment that a stack belongs to, and its slice. Raises `ConfigErrors` when there is no such stack."""
    environment = load(root, stack.partition(".")[0])
    return environment, environment.find(stack)


def _platform(root: Path, name: str, errors: list[ConfigError]) -> tuple[Platform | None, list[Source[Region]]]:
    """The environment's own file, and of its regions those that are valid by themselves."""
    try:
        document = read(root, root / f"Pulumi.{name}.yaml")
    except ConfigErrors as error:
        errors.extend(error.errors)
        return None, []
    found = list(_outside(document))
    errors.extend(found)
    data = document.data if not found else None
    if data is None:
        return None, []
    platform, problems = validate(Platform, document, PLATFORM)
    errors.extend(problems)
    listed = data["config"]["meridian:platform"]
    entries = listed.get("regions") if isinstance(listed, dict) else None
    regions: list[Source[Region]] = []
    for position in range(len(entries) if isinstance(entries, list) else 0):
        path = (*PLATFORM, "regions", position)
        region, _ = validate(Region, document, path)
        if region is not None:
            regions.append(Source(region, document, path, hidden=len(PLATFORM)))
    return platform, regions


def _outside(document: Document) -> Iterator[ConfigError]:
    """What is wrong around `meridian:platform`."""
    data = document.data
    for depth, step in enumerate(PLATFORM):
        wanted = ": ".join(PLATFORM) + ": {labels, regions}"
        if not isinstance(data, dict) or step not in data:
            where = PLATFORM[:depth]
            near = near_miss(step, data) if isinstance(data, dict) else ""
            yield ConfigError(
                file=document.name,
                line=document.line(where),
                key=".".join(where),
                problem=f'the key "{step}" is missing',
                accepted=wanted,
                near=near if near != step else "",
            )
            return
        known = {step} | (_ENGINE_KEYS if depth == 0 else set())
        for extra in data.keys() - known:
            yield ConfigError(
                file=document.name,
                line=document.line((*PLATFORM[:depth], extra)),
                key=".".join((*PLATFORM[:depth], extra)),
                problem="unknown key: an environment's file holds meridian:platform, and stacks have no other "
                "configuration",
                near=near_miss(extra, known),
            )
        data = data[step]


def _tenants(root: Path, errors: list[ConfigError]) -> Iterator[Source[TenantSpec]]:
    """The tenants whose files are valid by themselves."""
    for path in sorted((root / "tenants").glob("[!.]*")):
        name = path.relative_to(root).as_posix()
        if path.is_dir():
            errors.append(ConfigError(file=name, problem="is not read: tenants have no folders"))
            continue
        if path.suffix == ".yml":
            errors.append(ConfigError(file=name, problem="is not read: name it .yaml"))
        if path.suffix != ".yaml":
            continue
        try:
            document = read(root, path)
        except ConfigErrors as error:
            errors.extend(error.errors)
            continue
        tenant, problems = validate(TenantSpec, document)
        errors.extend(problems)
        if tenant is not None:
            yield Source(tenant, document)


__all__ = [
    "PLATFORM",
    "Environment",
    "Mode",
    "Ownership",
    "Platform",
    "Region",
    "Role",
    "environments",
    "find",
    "lives_in",
    "load",
]
