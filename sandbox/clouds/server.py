"""Starts the gRPC servers of the simulated clouds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from pulumi.runtime.proto import provider_pb2_grpc as pbg

from sandbox.clouds.behaviour import DATA
from sandbox.clouds.catalogue import catalogue
from sandbox.clouds.plane import PATIENCE_SECONDS, ControlPlane
from sandbox.clouds.provider import CloudProvider
from sandbox.cluster_host import ClusterHost
from sandbox.world import World

PACKAGES = ("aws", "azure-native", "gcp")

_OPTIONS = (
    ("grpc.max_receive_message_length", 400 << 20),  # as the SDK has it
    ("grpc.max_send_message_length", 400 << 20),
    ("grpc.server_max_unrequested_time_in_server", 1800),  # seconds; the default of 30 kills queued calls
    ("grpc.so_reuseport", 0),  # a port that is taken is an error, not shared
)


class PortTaken(Exception):
    """A fixed port is in use by another process."""


@dataclass(frozen=True)
class CloudServer:
    """A running server of one package."""

    package: str
    port: int
    server: grpc.Server

    def stop(self, grace_seconds: float = 0.0) -> None:
        """Stop serving; calls under way get `grace_seconds` to finish."""
        self.server.stop(grace_seconds).wait()


def sdk_version(package: str) -> str:
    """Version of the SDK whose facts the data describes, such as "7.51.1"."""
    with (DATA / "facts" / f"{package}.json").open() as file:
        return str(json.load(file)["sdk"]).rsplit(" ", 1)[-1]


def serve(
    world: World,
    cluster_host: ClusterHost,
    ports: Mapping[str, int] | None = None,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> dict[str, CloudServer]:
    """Serve all packages on the loopback interface, each on its port (any free one where `ports` names none).

    Raises PortTaken, with nothing left running. `patience_seconds` bounds how long a delete waits for referrers.
    """
    running: dict[str, CloudServer] = {}
    for package in PACKAGES:
        wanted = (ports or {}).get(package, 0)
        plane = ControlPlane(
            world=world, catalogue=catalogue(package), clusters=cluster_host, patience=patience_seconds
        )
        server = grpc.server(ThreadPoolExecutor(64, thread_name_prefix=package), options=_OPTIONS)
        pbg.add_ResourceProviderServicer_to_server(CloudProvider(plane, sdk_version(package)), server)
        try:
            port = server.add_insecure_port(f"127.0.0.1:{wanted}")
        except RuntimeError as error:
            for started in running.values():
                started.stop()
            raise PortTaken(
                f"port {wanted}, which the sandbox uses for {package}, is taken by another process: stop that process, "
                f"or remove the sandbox's ports.json to choose new ports"
            ) from error
        server.start()
        running[package] = CloudServer(package, port, server)
    return running
