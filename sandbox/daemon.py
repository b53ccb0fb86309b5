"""The sandbox's one process: serves the four providers and owns etcd and the clusters' programs.

Started by `sandbox.control.start`; by hand: `python -m sandbox.daemon --home DIR --etcd FILE ...`.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout

from sandbox import daemon_state
from sandbox.clouds import server as clouds
from sandbox.kubernetes import server as kubernetes
from sandbox.kubernetes.clusters import KubernetesClusters
from sandbox.kubernetes.commands import Binaries
from sandbox.paths import Home
from sandbox.ports import PortBook, require_free
from sandbox.processes import Launcher, ProcessTable, end
from sandbox.world import World

_log = logging.getLogger(__name__)

PACKAGES = ("aws", "azure-native", "gcp", "kubernetes")

# How long a daemon that was just told to stop may still hold the lock.
LOCK_TIMEOUT_SECONDS = 10.0
SUPERVISION_SECONDS = 1.0


class StopRequest:
    """Set by signal handlers, awaited by the main thread.

    A `threading.Event` will not do: its lock is not re-entrant, and a handler runs in the very thread that waits.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def set(self) -> None:
        """Ask to stop."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b"x")

    def wait(self, seconds: float) -> bool:
        """Whether the daemon shall stop; returns as soon as it shall, after `seconds` otherwise."""
        return bool(select.select([self._read], [], [], seconds)[0])


def run(home: Home, binaries: Binaries, stopping: StopRequest) -> int:
    """Serve until asked to stop; the exit code: 0 stopped, 1 could not start, 3 another daemon runs."""
    home.prepare()
    lock = FileLock(home.daemon_lock)
    try:
        lock.acquire(timeout=LOCK_TIMEOUT_SECONDS)
    except Timeout:
        _log.error("another sandbox runs on %s", home.root)
        return 3
    with lock:
        reporter = daemon_state.Reporter(home)
        try:
            with ExitStack() as stack:
                supervise = start(home, binaries, reporter, stack)
                while not stopping.wait(SUPERVISION_SECONDS):
                    supervise()
                reporter.phase(daemon_state.STOPPING)
        except Exception as error:  # Whatever it is, the one who waits for the start must hear of it.
            _log.exception("the sandbox ends")
            reporter.message(str(error))
            reporter.phase(daemon_state.FAILED)
            return 1
        reporter.close()
    return 0


def start(home: Home, binaries: Binaries, reporter: daemon_state.Reporter, stack: ExitStack) -> Callable[[], None]:
    """Start everything; `stack` undoes it in reverse order. Returns what to call regularly."""
    table = ProcessTable(home.processes)
    for name in table.end_leftovers():
        reporter.message(f"ended {name}, left by a sandbox that was killed")
    book = PortBook(home.ports)
    ports = {package: book.get(package) for package in PACKAGES}
    remedy = f"end that program, or remove {home.ports.name} in {home.root} to choose others"
    for package, port in ports.items():
        require_free(port, f"the sandbox's {package} provider", remedy)

    launcher = Launcher(table)
    stack.callback(end_all, table)
    clusters = KubernetesClusters(home, book, binaries, launcher, os.environ)
    stack.callback(clusters.stop)
    # First to be undone: whatever still runs in a request starts no new process.
    stack.callback(launcher.close)
    clusters.start(reporter.message)

    world = World(home.world)
    for server in clouds.serve(world, clusters, ports).values():
        stack.callback(server.stop, 1)
    stack.callback(kubernetes.serve(world, clusters, ports["kubernetes"]).stop)
    reporter.message("the providers are ready: " + ", ".join(f"{name} on port {port}" for name, port in ports.items()))
    reporter.phase(daemon_state.READY, ports=ports)

    def supervise() -> None:
        for message in clusters.revive():
            _log.warning(message)

    return supervise


def end_all(table: ProcessTable) -> None:
    """End what a request started in the very moment of stopping."""
    end((process for _, process in table.running()), grace_seconds=0)
    for record in list(table.records()):
        table.remove(record.name)


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM; the exit code is that of `run`."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.daemon")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--etcd", type=Path, required=True)
    parser.add_argument("--kube-apiserver", type=Path, required=True)
    parser.add_argument("--kube-controller-manager", type=Path, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    # One line for each request would bury everything else.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stopping = StopRequest()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    binaries = Binaries(options.etcd, options.kube_apiserver, options.kube_controller_manager)
    return run(Home.at(options.home), binaries, stopping)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of gRPC or of a request that hangs in a simulated fault must not keep a stopped daemon alive.
    os._exit(code)
