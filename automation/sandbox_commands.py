"""`meridian sandbox …`: the three clouds on one machine."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from automation import runlog
from automation.errors import MeridianError, UsageError
from automation.objects import cluster_of
from automation.project import Project
from automation.report import console, table
from automation.states import FileStates
from automation.worlds import foreign, programs, sandbox_home, sandbox_variables
from sandbox import control
from sandbox.control import SandboxError, Status
from sandbox.paths import Home
from stacks.environment import environments, load
from stacks.errors import near_miss, one_of
from stacks.slices import Slice

app = typer.Typer(
    help="Three clouds on one machine: simulated control planes, real Kubernetes API servers.",
    no_args_is_help=True,
)


@app.command()
def up() -> None:
    """Start the sandbox and everything it held when it was stopped. Started already: nothing happens."""
    project, out, began = Project.find(), console(), time.monotonic()
    found = programs()
    before = control.status(sandbox_home(project))
    status = control.start(
        sandbox_home(project),
        etcd=found.etcd,
        kube_apiserver=found.kube_apiserver,
        kube_controller_manager=found.kube_controller_manager,
        progress=_timed(out, began),
    )
    what = "runs already" if before and before.pid == status.pid else f"is up after {time.monotonic() - began:.1f} s"
    out.print(
        f"the sandbox {what}: {len(status.processes)} processes, {_megabytes(status.rss_bytes)}, "
        f"{len(status.clusters)} clusters",
        highlight=False,
    )


@app.command()
def down() -> None:
    """Stop the sandbox and all its processes. What the simulated clouds hold stays for the next start."""
    project, out = Project.find(), console()
    for name in environments(project.root):
        with runlog.exclusive(project.locks, name, "meridian sandbox down"):
            pass  # refuses to pull the ground from under a run
    stopped = control.stop(sandbox_home(project))
    if not stopped.was_running and not stopped.ended:
        out.print("the sandbox was not running; no process of it is left")
        return
    out.print(f"the sandbox is down after {stopped.seconds:.1f} s; no process of it is left", highlight=False)


@app.command()
def status() -> None:
    """Show processes and memory, what each cloud holds, and the clusters."""
    project, out = Project.find(), console()
    home = sandbox_home(project)
    found = control.status(home)
    if found is None:
        raise MeridianError(f"the sandbox ({home}) is not running: start it with `meridian sandbox up`")
    _show(out, found)


def _show(out: Console, found: Status) -> None:
    minutes = (time.time() - found.started_at) / 60
    out.print(
        f"running for {minutes:.0f} min, {_megabytes(found.rss_bytes)} in {len(found.processes)} processes\n",
        highlight=False,
    )
    processes = table("process", "pid", "memory", right=("pid", "memory"))
    for process in found.processes:
        processes.add_row(process.name, str(process.pid), _megabytes(process.rss))
    out.print(processes)
    clouds = table("cloud", "port", "resources", right=("port", "resources"))
    for package, port in sorted(found.ports.items()):
        held = "in the clusters" if package == "kubernetes" else str(found.resources.get(package, 0))
        clouds.add_row(package, str(port), held)
    out.print()
    out.print(clouds)
    if found.clusters:
        clusters = table("cluster", "cloud", "location", "Kubernetes", "API server", "")
        for one in found.clusters:
            ready = "ready" if one.ready else "[red]not ready[/]"
            clusters.add_row(one.name, one.package, one.location, one.version or "no answer", one.endpoint, ready)
        out.print()
        out.print(clusters)
    if found.generic_types:
        out.print("\nsimulated without data of their own: " + ", ".join(found.generic_types), highlight=False)


@app.command()
def env() -> None:
    """Print what a shell needs for plain `pulumi` to work in the sandbox: eval "$(meridian sandbox env)"."""
    project = Project.find()
    variables = sandbox_variables(sandbox_home(project), programs())
    for name in sorted(foreign(os.environ)):
        typer.echo(f"unset {name}")
    for name, value in sorted(variables.items()):
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def kubeconfig(
    region: Annotated[str, typer.Argument(help="Name of a region, such as aws-usw2.")],
    env: Annotated[str, typer.Option(help="The environment whose region it is.")] = "staging",
) -> None:
    """Print a kubeconfig of a region's cluster. It holds the administrator's token of this sandbox: a secret."""
    project = Project.find()
    home = sandbox_home(project)
    found = control.status(home)
    if found is None:
        raise UsageError("the sandbox is not running: start it with `meridian sandbox up`")
    names = [one.name for one in load(project.root, env).regions]
    if region not in names:
        near = near_miss(region, names)
        meant = f" (did you mean {near}?)" if near else ""
        raise UsageError(f'environment {env} has no region "{region}"{meant}: it has {one_of(names)}')
    stack = Slice(env, region).stack_name
    states = FileStates(Home.at(home).backend)
    outputs = states.read(stack).outputs if stack in states.names() else {}
    cluster = cluster_of(Home.at(home), outputs)
    for info in found.clusters:
        if cluster and info.key == cluster.record.key:
            typer.echo(control.kubeconfig(home, info), nl=False)
            return
    raise MeridianError(f"region {region} has no cluster yet: run `meridian up {stack}`")


def _timed(out: Console, began: float) -> Callable[[str], None]:
    def tell(message: str) -> None:
        out.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim]  {message}", highlight=False)

    return tell


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"


__all__ = ["SandboxError", "app"]
