"""The `meridian` command."""

from __future__ import annotations

import json
import sys
import time
import traceback
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from automation import deploy, report, sandbox_commands, summary, teardown
from automation.errors import MeridianError, UsageError
from automation.interrupts import INTERRUPTED
from automation.project import Project, Target
from automation.session import Session, log_file, open_session
from automation.worlds import World, choose
from sandbox.control import SandboxError
from sandbox.world import WorldError
from stacks.errors import ConfigErrors
from stacks.slices import Slice

app = typer.Typer(
    name="meridian",
    help="One multi-cloud machine-learning platform: brings environments up, previews them, takes them down.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(sandbox_commands.app, name="sandbox")

TargetArgument = Annotated[
    str, typer.Argument(metavar="TARGET", help="An environment (staging) or one stack of it (staging.aws-usw2).")
]
WorldOption = Annotated[
    World | None,
    typer.Option(
        "--world", envvar="MERIDIAN_WORLD", help="Simulated or real clouds. Default: the sandbox, if it runs."
    ),
]
ParallelOption = Annotated[
    int | None, typer.Option("--parallel", min=1, max=64, help="Stacks at once. Default: cores plus one.")
]


class Options:
    """What holds for every command."""

    debug: bool = False


@app.callback()
def options(debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False) -> None:
    """Bring environments up, preview them, take them down."""
    Options.debug = debug


@app.command()
def up(target: TargetArgument, world: WorldOption = None, parallel: ParallelOption = None) -> None:
    """Preview, apply what differs stack by stack, look again. Nothing is applied that the policy pack blocks."""
    console, began, meant, project = report.console(), time.monotonic(), Target.parse(target), Project.find()
    environment, parts = meant.load(project.root)
    setting = choose(world, project)
    with open_session(project, setting, meant, "up", console=console, workers=parallel) as session:
        done = deploy.up(session, parts)
        report.warnings(console, done.previews.values())
        _strays(session, meant, parts)
        rows = summary.rows(session, environment, parts)
    seconds = time.monotonic() - began
    if not done.applied:
        console.print(f"\n{meant.what} is up to date: nothing had to change", highlight=False)
    summary.show(console, session, rows, seconds)
    summary.next_steps(console, project, meant, parts[0] if parts else None, sandbox=bool(setting.home))


def _strays(session: Session, target: Target, parts: tuple[Slice, ...]) -> None:
    """Stacks that exist and that the files no longer describe stay until somebody says so."""
    if target.stack:
        return
    described = {part.stack_name for part in parts}
    for name in session.states.names():
        if name.partition(".")[0] == target.environment and name not in described:
            session.progress.say(f"{name} is described no longer and was left alone: meridian destroy {name}")


@app.command()
def preview(
    target: TargetArgument,
    world: WorldOption = None,
    parallel: ParallelOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs to read.")] = False,
) -> None:
    """Show what would change, judged by the policy pack. Changes nothing but makes stacks that don't exist, empty."""
    console, meant, project = report.console(stderr=as_json), Target.parse(target), Project.find()
    _, parts = meant.load(project.root)
    setting = choose(world, project)
    with open_session(
        project, setting, meant, "preview", console=console, workers=parallel, exclusive=False
    ) as session:
        session.recovery.look(part.stack_name for part in parts)
        session.ensure_stacks(parts)
        outcomes = list(deploy.preview_all(session, parts).values())
    if as_json:
        typer.echo(json.dumps(report.as_data(outcomes), indent=1))
    else:
        report.changes(console, outcomes)
        report.warnings(console, outcomes)
        report.failure(console, outcomes)
    if not all(outcome.ok for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def destroy(
    target: TargetArgument,
    world: WorldOption = None,
    parallel: ParallelOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; only real clouds ask.")] = False,
) -> None:
    """Preview, then delete everything in the stacks and forget them. A protected resource stops it beforehand."""
    console, meant, project = report.console(), Target.parse(target), Project.find()
    setting = choose(world, project)

    def confirm(number: int) -> bool:
        if yes or setting.home:
            return True
        if not sys.stdin.isatty():
            raise UsageError(f"{number} resources of real clouds would be deleted: confirm with --yes")
        with session.progress.paused(), session.interrupts.suspended():
            answer = console.input(f"Delete {number} resources of [bold]{meant.what}[/] for good? Type its name: ")
        return answer.strip() == str(meant)

    with open_session(project, setting, meant, "destroy", console=console, workers=parallel) as session:
        began = time.monotonic()
        gone = teardown.destroy(session, meant, confirm)
        left = teardown.leftovers(session, meant) if setting.home else {}
    if left:
        held = ", ".join(f"{number} of {stack}" for stack, number in sorted(left.items()))
        raise MeridianError(f"the simulated clouds still hold resources that no state knows: {held}")
    if not gone.stacks:
        console.print(f"nothing of {meant.what} exists: nothing to destroy", highlight=False)
        return
    seconds = time.monotonic() - began
    console.print(f"\n{meant.what} is gone: {gone.resources} resources deleted in {seconds:.1f} s", highlight=False)
    if setting.home:
        console.print("the simulated clouds hold nothing of it", highlight=False)


def main() -> None:
    """Run the command; the one place where errors become messages and exit codes."""
    console = report.console(stderr=True)
    try:
        app()  # ends with SystemExit, also for a wrong usage
    except KeyboardInterrupt:
        code = INTERRUPTED
    except ConfigErrors as errors:
        code = _tell(console, str(errors), 2)
    except (SandboxError, WorldError) as error:
        code = _tell(console, str(error), 2)
    except MeridianError as error:
        code = _tell(console, str(error), error.exit_code)
    except Exception as error:
        code = _unexpected(console, error)
    else:
        return
    sys.exit(code)


def _tell(console: Console, message: str, code: int) -> int:
    if Options.debug:
        console.print_exception()
    console.print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
    return code


def _unexpected(console: Console, error: Exception) -> int:
    """A mistake of ours: the user gets a sentence and the place of the rest."""
    message = f"{type(error).__name__}: {error}"
    if Options.debug:
        traceback.print_exc()
        return _tell(console, message, 1)
    try:
        path = log_file(Project.find().logs)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(sys.argv)}\n{traceback.format_exc()}\n")
        where = f"the traceback is in {path}"
    except (MeridianError, OSError):
        where = "run again with --debug for the traceback"
    return _tell(console, f"unexpected: {message}; {where}", 1)


if __name__ == "__main__":
    main()
