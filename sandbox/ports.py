"""Loopback ports that stay the same over restarts.

Environment variables, kubeconfigs and the states of stacks contain these ports, so a port once given is kept.
They are taken below the ranges from which Linux (32768 up) and macOS (49152 up) draw ports for outgoing
connections; otherwise any program's connection could occupy one while the sandbox is down.
"""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from sandbox.paths import read_json, write_json

RANGE = range(21000, 32000)


class PortTaken(Exception):
    """A port that this sandbox gave out earlier is in use by another program."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A port whose last connections linger in TIME_WAIT is free for a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def pick(taken: Iterable[int] = ()) -> int:
    """A free port that is not among `taken`."""
    avoid = set(taken)
    for port in random.sample(RANGE, len(RANGE)):
        if port not in avoid and is_free(port):
            return port
    raise PortTaken(f"no free loopback port between {RANGE.start} and {RANGE.stop - 1}")


def owner(port: int) -> str:
    """Who listens on a port, for messages: "pid 12 (nginx)", or "another program" where we may not know."""
    try:
        connections = psutil.net_connections(kind="tcp4")
    except psutil.Error:
        return "another program"
    for connection in connections:
        address = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
            try:
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
            except psutil.Error:
                return f"pid {connection.pid}"
    return "another program"


def require_free(port: int, purpose: str, remedy: str) -> None:
    """Raise PortTaken with who holds the port, what it is needed for and what to do."""
    if not is_free(port):
        raise PortTaken(f"port {port} ({purpose}) is taken by {owner(port)}: {remedy}")


class PortBook:
    """The ports of one sandbox home by purpose, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        stored = read_json(path)
        self._ports: dict[str, int] = dict(stored) if isinstance(stored, dict) else {}

    def get(self, purpose: str) -> int:
        """The port for a purpose; a free one is chosen and remembered the first time."""
        if purpose not in self._ports:
            self._ports[purpose] = pick(self._ports.values())
            write_json(self._path, self._ports)
        return self._ports[purpose]
