"""Runs one Pulumi program or one policy pack inside the interpreter of its virtual environment.

The language host starts this file by its path, so it imports nothing of the project it runs:

    program_runner.py PARENT_PID program                      the run request as JSON on standard input
    program_runner.py PARENT_PID policy PACK_DIR ARGUMENT...

The exit code tells the host how it went: 0, or `SHOWN` when the user has already been shown what is wrong.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SHOWN = 32
"""Exit code: the error was already shown, add nothing to it (the engine's hosts for Python agree on 32)."""

_PR_SET_PDEATHSIG = 1  # from linux/prctl.h
_THREADS_PER_OPERATION = 4  # the SDK blocks one thread per call in flight, and a resource makes several


def die_with(parent: int) -> None:
    """Sees to it that this process does not outlive the process `parent`, however that one ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it ended before we could ask
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def run_program(request: dict[str, Any]) -> int:
    """Runs a program as the engine's run request describes it and gives the exit code."""
    import pulumi
    import pulumi.runtime

    pulumi.runtime.set_all_config(request["config"], request["config_secret_keys"])
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=request["project"],
            stack=request["stack"],
            monitor=request["monitor"],
            engine=request["engine"],
            parallel=request["parallel"],
            dry_run=request["dry_run"],
            organization=request["organization"],
            root_directory=request["root_directory"],
        )
    )
    program = str(Path(request["program"]).resolve())
    folder = program if Path(program).is_dir() else str(Path(program).parent)
    os.chdir(request["working_directory"])
    sys.argv = [program, *request["arguments"]]
    # runpy takes the folder off the path when the program's top level ends; imports made in an apply come later.
    sys.path.insert(0, folder)

    # After a failure part of the graph never resolves. asyncio would report every such future beside the one
    # message that matters.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = ThreadPoolExecutor(max_workers=max(request["parallel"], 1) * _THREADS_PER_OPERATION)
    loop.set_default_executor(threads)

    def top_level() -> None:
        runpy.run_path(program, run_name="__main__")

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(top_level))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return SHOWN
    except Exception as error:
        pulumi.log.error(f"Program failed with an unhandled exception:\n{_users_traceback(error)}")
        return SHOWN
    finally:
        threads.shutdown(wait=True)
        loop.close()
    return 0


def _users_traceback(error: BaseException) -> str:
    """The traceback from the first line that is the program's: what leads there is of no use to the reader."""
    import pulumi

    leading = (__file__, runpy.__file__, "<frozen runpy>", *(str(Path(m.__file__).parent) for m in (asyncio, pulumi)))
    users = error.__traceback__
    while users is not None and users.tb_frame.f_code.co_filename.startswith(leading):
        users = users.tb_next
    return "".join(traceback.format_exception(type(error), error, users or error.__traceback__))


def run_policy_pack(pack: str, arguments: list[str]) -> None:
    """Serves the policy pack in the folder `pack` until the engine has no more use for it."""
    sys.argv = ["pulumi.policy", *arguments, pack]
    runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)


def main() -> int:
    """Does what the command line asks."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a traceback of KeyboardInterrupt would tell nobody anything
    parent, what, *rest = sys.argv[1:]
    die_with(int(parent))
    if what == "policy":
        run_policy_pack(rest[0], rest[1:])
        return 0
    request = json.load(sys.stdin)
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    try:
        return run_program(request)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
