"""Start, stop and ask the sandbox's daemon. Everything is told by files under the home and by the processes."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from sandbox import daemon_state
from sandbox.daemon_state import FAILED, READY, STARTING, STOPPING, DaemonState
from sandbox.kubernetes.kubeconfig import token_kubeconfig
from sandbox.paths import Home, write_private
from sandbox.processes import ProcessTable, end, is_alive, tail
from sandbox.status import ClusterInfo, ProcessInfo, Status, cluster_info, processes, recorded_clusters
from sandbox.world import World

__all__ = [
    "ClusterInfo", "ProcessInfo", "SandboxError", "Status", "Stopped",
    "environment", "kubeconfig", "start", "status", "stop",
]  # fmt: skip

START_TIMEOUT_SECONDS = 300.0
STOP_TIMEOUT_SECONDS = 30.0
_POLL_SECONDS = 0.05


class SandboxError(Exception):
    """The sandbox could not be started, stopped or asked; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What stopping did: whether a daemon ran, and which processes were ended after it."""

    was_running: bool
    seconds: float
    ended: list[str]


def start(
    home: Path,
    *,
    etcd: Path,
    kube_apiserver: Path,
    kube_controller_manager: Path,
    progress: Callable[[str], None],
) -> Status:
    """Start the daemon unless it runs already, and return when it is ready.

    It restarts every cluster that the world holds. Raises SandboxError.
    """
    place = Home.at(home)
    place.prepare()
    _passphrase(place)
    try:
        with FileLock(place.start_lock, timeout=START_TIMEOUT_SECONDS):
            state = _running(place)
            if not state or state.phase in (STOPPING, FAILED):
                command = [
                    sys.executable, "-m", "sandbox.daemon", f"--home={place.root}", f"--etcd={etcd}",
                    f"--kube-apiserver={kube_apiserver}", f"--kube-controller-manager={kube_controller_manager}",
                ]  # fmt: skip
                _wait_ready(place, _spawn(place, command), progress)
            elif state.phase == STARTING:
                _wait_ready(place, state.process.process(), progress)
    except Timeout as error:
        raise SandboxError(f"another start of the sandbox on {place.root} does not finish") from error
    found = status(home)
    if not found:
        raise SandboxError(f"the sandbox ended right after its start; see {place.daemon_log}")
    return found


# Starts the daemon and ends: the daemon belongs to no terminal and is nobody's child, so whoever starts it may
# end, or live on for days, without a trace of it.
_DETACH = """
import os, subprocess, sys
daemon = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=2, start_new_session=True)
os.write(1, str(daemon.pid).encode())
os._exit(0)
"""


def _spawn(home: Home, command: list[str]) -> psutil.Process | None:
    """Start the daemon; None when it has ended already."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    # The state of an earlier daemon must not be taken for the new one's.
    home.state.unlink(missing_ok=True)
    with home.daemon_log.open("ab") as log:
        started = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _DETACH, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=root,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
            check=True,
        )
    try:
        return psutil.Process(int(started.stdout))
    except psutil.Error:
        return None


def _wait_ready(home: Home, daemon: psutil.Process | None, progress: Callable[[str], None]) -> None:
    """Pass on what the daemon reports until it is ready. Raises SandboxError when it gives up."""
    shown, quiet_since, began = 0, time.monotonic(), time.monotonic()
    while True:
        state = daemon_state.read(home)
        messages = state.messages if state else ()
        for message in messages[shown:] if state and state.phase != FAILED else ():
            progress(message)
            quiet_since = time.monotonic()
        shown = len(messages)
        if state and state.phase == READY:
            return
        if state and state.phase == FAILED:
            raise SandboxError(f"the sandbox does not start: {messages[-1] if messages else 'no reason given'}")
        if not daemon or not is_alive(daemon):
            raise SandboxError(
                f"the sandbox ended while starting; its log {home.daemon_log} ends with:\n{tail(home.daemon_log, 10)}"
            )
        seconds = time.monotonic() - began
        if seconds > START_TIMEOUT_SECONDS:
            raise SandboxError(f"the sandbox is not ready after {seconds:.0f} s; see {home.daemon_log}")
        if time.monotonic() - quiet_since > 10:
            progress(f"still starting the sandbox ({seconds:.0f} s)")
            quiet_since = time.monotonic()
        time.sleep(_POLL_SECONDS)


def stop(home: Path) -> Stopped:
    """Stop the daemon and all its processes; what the clouds and clusters hold stays for the next start.

    Raises SandboxError when a process of ours is left.
    """
    place, began = Home.at(home), time.monotonic()
    state = _running(place)
    if state and (process := state.process.process()):
        process.send_signal(signal.SIGTERM)
        end([process], grace_seconds=STOP_TIMEOUT_SECONDS)
    table = ProcessTable(place.processes)
    left = table.running()
    alive = {process.pid for process in end((process for _, process in left), grace_seconds=0)}
    if alive or _running(place):
        names = [record.name for record, process in left if process.pid in alive]
        raise SandboxError(f"these processes of the sandbox do not end: {', '.join(names) or 'the daemon'}")
    for record in list(table.records()):
        table.remove(record.name)
    if place.run.is_dir():
        place.state.unlink(missing_ok=True)
    return Stopped(
        was_running=state is not None,
        seconds=time.monotonic() - began,
        ended=[record.name for record, _ in left],
    )


def status(home: Path) -> Status | None:
    """What runs on this home; None when no daemon does."""
    place = Home.at(home)
    state = _running(place)
    if not state:
        return None
    clusters = recorded_clusters(place)
    with ThreadPoolExecutor(max_workers=max(1, len(clusters))) as pool:
        infos = list(pool.map(cluster_info, clusters))
    found = processes(place, state.process)
    world = World(place.world)
    return Status(
        pid=state.process.pid,
        ports=state.ports,
        started_at=state.since,
        rss_bytes=sum(process.rss for process in found),
        processes=found,
        clusters=infos,
        resources=world.counts(),
        generic_types=world.generic_types(),
    )


def environment(home: Path) -> dict[str, str]:
    """The variables with which a plain `pulumi` uses the sandbox. Raises SandboxError when it is not running."""
    place = Home.at(home)
    state = _running(place)
    if not state or state.phase != READY:
        raise SandboxError(f"the sandbox on {place.root} is not running: start it with `meridian sandbox up`")
    _passphrase(place)
    return {
        "PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{port}" for package, port in sorted(state.ports.items())),
        "PULUMI_BACKEND_URL": f"file://{place.backend}",
        "PULUMI_HOME": str(place.pulumi_home),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(place.passphrase),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def kubeconfig(home: Path, cluster: ClusterInfo) -> str:
    """A kubeconfig for people's kubectl, with the cluster's administrator token: secret. Raises SandboxError."""
    for candidate in recorded_clusters(Home.at(home)):
        if candidate.record.key == cluster.key:
            return token_kubeconfig(
                name=cluster.name, url=candidate.url, ca_pem=candidate.ca_pem, token=candidate.admin_token
            )
    raise SandboxError(f"the sandbox holds no cluster {cluster.key}")


def _running(home: Home) -> DaemonState | None:
    state = daemon_state.read(home)
    return state if state and state.alive() else None


def _passphrase(home: Home) -> None:
    """A passphrase for the sandbox's stacks, made once: states that exist are encrypted with it."""
    if not home.passphrase.exists():
        write_private(home.passphrase, secrets.token_urlsafe(24) + "\n")
