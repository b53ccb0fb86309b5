"""The pack as the engine runs it: a process of its own, spoken to over gRPC."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policies.rules.model import Resource
from policies.rules.values import UNKNOWN

PACK = Path(__file__).parents[2] / "policies"
_UNKNOWN_ON_THE_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def _wire(value: Any) -> Any:
    if value is UNKNOWN:
        return _UNKNOWN_ON_THE_WIRE
    if isinstance(value, Mapping):
        return {key: _wire(inner) for key, inner in value.items()}
    return [_wire(inner) for inner in value] if isinstance(value, list) else value


def _struct(props: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(_wire(props))
    return struct


@dataclass(frozen=True)
class Pack:
    """A running pack."""

    pid: int
    _stub: analyzer_pb2_grpc.AnalyzerStub

    def info(self) -> analyzer_pb2.AnalyzerInfo:
        return self._stub.GetAnalyzerInfo(_empty())

    def configure(self, policy: str, **properties: Any) -> None:
        config = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.MANDATORY, properties=_struct(properties))
        self._stub.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={policy: config}))

    def resource(self, one: Resource) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """What the pack says when the program declares a resource."""
        request = analyzer_pb2.AnalyzeRequest(
            type=one.type, urn=one.urn, name=one.name, properties=_struct(one.props), provider=_provider(one)
        )
        return list(self._stub.Analyze(request).diagnostics)

    def stack(self, resources: Iterable[Resource], *, shown: bool) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """What it says of the whole stack. `shown=False`: without properties, as before a cluster exists."""
        request = analyzer_pb2.AnalyzeStackRequest(
            resources=[
                analyzer_pb2.AnalyzerResource(
                    type=one.type,
                    urn=one.urn,
                    name=one.name,
                    properties=_struct(one.props if shown else {}),
                    provider=_provider(one),
                    propertyDependencies={
                        name: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                        for name, urns in one.depends_on.items()
                    },
                )
                for one in resources
            ]
        )
        return list(self._stub.AnalyzeStack(request).diagnostics)

    def run(self, resources: list[Resource], *, shown: bool = True) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """A preview: every resource, then the stack."""
        return [said for one in resources for said in self.resource(one)] + self.stack(resources, shown=shown)


def _empty() -> Any:
    from google.protobuf import empty_pb2

    return empty_pb2.Empty()


def _provider(one: Resource) -> analyzer_pb2.AnalyzerProviderResource | None:
    if not one.provider:
        return None
    return analyzer_pb2.AnalyzerProviderResource(
        type="pulumi:providers:kubernetes", urn=one.provider, name=one.provider.rpartition("::")[2]
    )


@contextmanager
def serving() -> Generator[Pack]:
    """A fresh pack process; it ends with the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI")}
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(PACK)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            assert port.isdigit(), "the pack did not start"
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Pack(process.pid, analyzer_pb2_grpc.AnalyzerStub(channel))
        finally:
            process.kill()
