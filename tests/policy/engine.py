"""The genuine engine on a small foreign program, with a provider behind it that accepts everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from policies.rules.model import Resource
from tests.policy.process import PACK
from toolchain import links
from toolchain.programs import Programs

# Reads what to declare from a file. A cloud resource comes first; the cluster's kubeconfig and, where asked for, tags
# and namespaces come from outputs, so in the first preview they are unknown.
PROGRAM = """
import json
import pulumi

class Resource(pulumi.CustomResource):
    def __init__(self, type_, name, props, opts=None):
        super().__init__(type_, name, {**props, "computed": None}, opts)

namespace = None

def filled(value):
    if value == "FROM AN OUTPUT":
        return first.computed
    if value == "FROM THE NAMESPACE":
        return namespace.metadata["name"]
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items()}
    return [filled(inner) for inner in value] if isinstance(value, list) else value

Resource.computed = property(lambda self: pulumi.get(self, "computed"))
Resource.metadata = property(lambda self: pulumi.get(self, "metadata"))
first = Resource("aws:ec2/routeTableAssociation:RouteTableAssociation", "first", {})

class Cluster(pulumi.ProviderResource):
    def __init__(self):
        super().__init__("kubernetes", "aws-usw2", {"kubeconfig": first.computed})

cluster = Cluster()
with open("declared.json") as file:
    for one in json.load(file):
        opts = pulumi.ResourceOptions(provider=cluster) if one["type"].startswith("kubernetes:") else None
        made = Resource(one["type"], one["name"], filled(one["props"]), opts)
        namespace = made if one["type"].endswith(":Namespace") else namespace
"""
FROM_AN_OUTPUT = "FROM AN OUTPUT"
FROM_THE_NAMESPACE = "FROM THE NAMESPACE"


class _Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Echoes inputs and adds one computed output; in a preview without configuration it says nothing, as the real
    Kubernetes provider does."""

    def __init__(self) -> None:
        self._configured: set[str] = set()

    def Handshake(self, request, context):
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request, context):
        return empty_pb2.Empty()

    def Cancel(self, request, context):
        return empty_pb2.Empty()

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="1.0.0")

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request, context):
        self._configured.add(context.peer())
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request, context):
        old, new = (json_format.MessageToDict(each) for each in (request.old_inputs, request.news))
        kind = provider_pb2.DiffResponse.DIFF_NONE if old == new else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=kind)

    def Create(self, request, context):
        if request.preview and context.peer() not in self._configured:
            return provider_pb2.CreateResponse()
        outputs = request.properties
        if not request.preview:
            outputs.update({"computed": "known"})
        return provider_pb2.CreateResponse(id=request.name, properties=outputs)

    def Update(self, request, context):
        outputs = request.news
        outputs.update({"computed": "known"})
        return provider_pb2.UpdateResponse(properties=outputs)

    def Delete(self, request, context):
        return empty_pb2.Empty()


@contextmanager
def serving() -> Generator[dict[str, int]]:
    """The provider for every package, by package -> port."""
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", 400 << 20)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield dict.fromkeys(("aws", "azure-native", "gcp", "kubernetes"), port)
    finally:
        server.stop(None).wait()


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    text: str


@dataclass
class Engine:
    """A project and a backend of its own in `folder`."""

    programs: Programs
    folder: Path
    ports: Mapping[str, int]
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        host = self.programs.language_host_dir or links.place(self.programs.pulumi, self.programs.pulumi_version)
        for name in ("state", "home", "project"):
            (self.folder / name).mkdir()
        options = {"name": "python", "options": {"virtualenv": sys.prefix}}
        project = {"name": "foreign", "runtime": options}
        (self.folder / "project" / "Pulumi.yaml").write_text(json.dumps(project))
        (self.folder / "project" / "__main__.py").write_text(PROGRAM)
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "PYTHON"))}
        self.environment = outside | {
            "PATH": f"{host}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "only for this test",
            "PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{port}" for package, port in self.ports.items()),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.run("stack", "init", "dev")

    def declare(self, resources: Sequence[Resource]) -> None:
        """What the program declares from now on."""
        declared = [{"type": one.type, "name": one.name, "props": one.props} for one in resources]
        (self.folder / "project" / "declared.json").write_text(json.dumps(declared))

    def run(self, *arguments: str) -> Answer:
        """One command of the engine."""
        done = subprocess.run(
            [str(self.programs.pulumi), "--non-interactive", "--color=never", *arguments],
            cwd=self.folder / "project",
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return Answer(done.returncode, done.stdout)

    def preview(self) -> Answer:
        return self.run("preview", "--policy-pack", str(PACK))

    def up(self, *extra: str) -> Answer:
        return self.run("up", "--yes", "--policy-pack", str(PACK), *extra)
