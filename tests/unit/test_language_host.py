"""Our Python language host, called over gRPC as an engine would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from tests.processes import gone
from toolchain import links

PACK = """
import sys
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

print("the pack speaks", file=sys.stderr)

PolicyPack("pack", [StackValidationPolicy("judge", "judges", lambda args, report: None, EnforcementLevel.MANDATORY)])
"""


@pytest.fixture(scope="module")
def host() -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    command = [sys.executable, "-P", str(links.HOST), "-tracing=x", "127.0.0.1:1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout, grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


def info(folder: Path, **options: str) -> language_pb2.ProgramInfo:
    result = language_pb2.ProgramInfo(root_directory=str(folder), program_directory=str(folder), entry_point=".")
    result.options.update(options)
    return result


def test_the_host_tells_what_it_is(host: Any):
    about = host.About(language_pb2.AboutRequest())
    assert about.executable == sys.executable
    assert about.version == ".".join(map(str, sys.version_info[:3]))
    assert not host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages
    found = host.GetProgramDependencies(language_pb2.GetProgramDependenciesRequest()).dependencies
    assert "pulumi" in {dependency.name for dependency in found}


def test_what_it_does_not_do_is_unimplemented(host: Any, tmp_path: Path):
    with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
        host.GenerateProject(language_pb2.GenerateProjectRequest())
    with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
        list(host.RunPlugin(language_pb2.RunPluginRequest(info=info(tmp_path), kind="resource")))


def test_a_folder_without_a_program_is_named(host: Any, tmp_path: Path):
    answer = host.Run(language_pb2.RunRequest(info=info(tmp_path)))
    assert answer.error == f"unable to find main python program `__main__.py` in `{tmp_path}`"


def test_a_virtual_environment_that_is_not_there_is_named(host: Any, tmp_path: Path):
    answer = host.Run(language_pb2.RunRequest(info=info(tmp_path, virtualenv="no-such")))
    assert "names 'no-such', which holds no bin/python: run 'make setup'" in answer.error


def test_a_policy_pack_is_streamed_until_the_engine_lets_go(host: Any, tmp_path: Path):
    (tmp_path / "__main__.py").write_text(PACK)
    request = language_pb2.RunPluginRequest(
        info=info(tmp_path), pwd=str(tmp_path), args=["127.0.0.1:1"], env=[f"PATH={os.environ['PATH']}"]
    )
    stream = host.RunPlugin(request)
    port, heard = b"", b""
    while not (port.endswith(b"\n") and heard.endswith(b"\n")):
        chunk = next(stream)
        port, heard = port + chunk.stdout, heard + chunk.stderr
    assert heard == b"the pack speaks\n"
    listening = [c for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == int(port)]
    assert len(listening) == 1
    stream.cancel()
    assert gone(listening[0].pid)


def test_a_policy_pack_that_ends_gives_its_exit_code(host: Any, tmp_path: Path):
    (tmp_path / "__main__.py").write_text("import sys; sys.stderr.write('no such rule'); sys.exit(7)")
    request = language_pb2.RunPluginRequest(info=info(tmp_path), pwd=str(tmp_path), args=["127.0.0.1:1"])
    chunks = list(host.RunPlugin(request))
    assert b"".join(chunk.stderr for chunk in chunks) == b"no such rule"
    assert chunks[-1].exitcode == 7
