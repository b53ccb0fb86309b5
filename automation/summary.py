"""What a person wants to know when an environment is up."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from automation.objects import cluster_of
from automation.project import Project, Target
from automation.report import table
from automation.session import Session
from sandbox import control
from sandbox.paths import Home
from stacks.environment import Environment, lives_in
from stacks.slices import Slice


@dataclass(frozen=True)
class RegionRow:
    """One region, as it is now."""

    region: str
    cloud: str
    location: str
    cluster: str
    kubernetes: str
    tenants: int
    resources: int
    seconds: float


def rows(session: Session, environment: Environment, parts: Iterable[Slice]) -> list[RegionRow]:
    """The regions that `parts` belong to. In the sandbox the version is what the cluster's API server answers."""
    concerned = {part.region for part in parts}
    existing = set(session.states.names())
    status = control.status(session.setting.sandbox) if session.setting.home else None
    versions = {info.key: info.version for info in status.clusters} if status else {}
    made = []
    for region in environment.regions:
        if region.name not in concerned:
            continue
        slices = [part.stack_name for part in environment.slices() if part.region == region.name]
        states = {stack: session.states.read(stack) for stack in slices if stack in existing}
        base = states.get(Slice(environment.name, region.name).stack_name)
        outputs = base.outputs if base else {}
        version = str(outputs.get("cluster_version") or "")
        if session.setting.home:
            cluster = cluster_of(Home.at(session.setting.sandbox), outputs)
            version = versions.get(cluster.record.key, "") if cluster else ""
        made.append(
            RegionRow(
                region=region.name,
                cloud=region.cloud.value,
                location=region.location,
                cluster=str(outputs.get("cluster_name") or "none"),
                kubernetes=version or "no answer",
                tenants=sum(1 for one in environment.tenants if lives_in(one, environment.name, region.name)),
                resources=sum(state.count for state in states.values()),
                seconds=sum(session.seconds.get(stack, 0.0) for stack in slices),
            )
        )
    return made


def show(console: Console, session: Session, regions: list[RegionRow], seconds: float) -> None:
    """The table, and in the sandbox what in it is real and what is not."""
    numbers = ("tenants", "resources", "seconds")
    shown = table("region", "cloud", "location", "cluster", "Kubernetes", *numbers, right=numbers)
    for row in regions:
        shown.add_row(
            row.region, row.cloud, row.location, row.cluster, row.kubernetes,
            str(row.tenants), str(row.resources), f"{row.seconds:.1f}",
        )  # fmt: skip
    tenants, resources = max((row.tenants for row in regions), default=0), sum(row.resources for row in regions)
    shown.add_row("[bold]total[/]", "", "", "", "", str(tenants), str(resources), f"{seconds:.1f}")
    console.print()
    console.print(shown)
    console.print("[dim]seconds: of work on each region; regions are worked on at the same time[/dim]")
    if not session.setting.home:
        console.print("[dim]Kubernetes versions as the clouds report them.[/dim]")
        return
    console.print(
        "\nThe clouds are [bold]simulated[/]: no account exists and nothing costs anything. "
        "The Kubernetes API servers are [bold]real[/]: the versions are their own answers.",
        highlight=False,
    )
    status = control.status(session.setting.sandbox)
    if status and status.generic_types:
        console.print("Simulated without data of their own: " + ", ".join(status.generic_types), highlight=False)


def next_steps(console: Console, project: Project, target: Target, part: Slice | None, *, sandbox: bool) -> None:
    """Commands worth trying now."""
    command = command_name()
    steps = [(f"{command} up {target}", "again: finds nothing to change")]
    if sandbox and part:
        steps += [
            (f'eval "$({command} sandbox env)"; pulumi stack output -s {part}', "the plain engine, in this sandbox"),
            (f"{command} sandbox kubeconfig {part.region} > kubeconfig", "for kubectl: a real API server"),
        ]
    steps += [
        (f"{command} preview {target}", "after editing something in tenants/"),
        (f"{command} destroy {target}", "take it all down again"),
    ]
    width = max(len(text) for text, _ in steps)
    console.print("\nNext:")
    for text, why in steps:
        console.print(f"  [bold]{escape(f'{text:<{width}}')}[/]  [dim]{why}[/dim]", highlight=False, soft_wrap=True)


def command_name() -> str:
    """How this command can be called from the working directory."""
    called = Path(sys.argv[0])
    if called.name != "meridian":
        return "meridian"
    found = shutil.which("meridian")
    if found and Path(found).samefile(called):
        return "meridian"
    path = called.absolute()
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
