"""Serves the stand-in kubernetes provider over gRPC."""

from __future__ import annotations

import importlib.metadata
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.faults import FaultSource
from sandbox.kubernetes.clusters import KubernetesClusters
from sandbox.kubernetes.instance import Apis
from sandbox.kubernetes.provider import KubernetesProvider

# A namespace takes seconds to go away and holds its thread as long; engines run some 16 operations each.
_THREADS = 128
_MESSAGE_BYTES = 400 << 20
_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    # The default of 30 s kills calls that wait for a thread.
    ("grpc.server_max_unrequested_time_in_server", 3600),
    # Two servers must never share a port: half of the calls would go to the wrong sandbox.
    ("grpc.so_reuseport", 0),
)


class Server:
    """A running gRPC server."""

    def __init__(self, server: grpc.Server, apis: Apis) -> None:
        self._server = server
        self._apis = apis

    def stop(self) -> None:
        """Refuse new calls, give running ones a moment, then end them."""
        self._server.stop(grace=1).wait(3)
        self._apis.close()


def serve(faults: FaultSource, clusters: KubernetesClusters, port: int) -> Server:
    """Serve on a loopback port until stopped. Raises RuntimeError when the port is taken."""
    server = grpc.server(ThreadPoolExecutor(_THREADS, thread_name_prefix="kubernetes"), options=_OPTIONS)
    version = importlib.metadata.version("pulumi-kubernetes")
    apis = Apis(clusters)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(KubernetesProvider(faults, apis, version), server)
    # Raises where the port is taken.
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return Server(server, apis)
