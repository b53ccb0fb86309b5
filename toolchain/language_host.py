"""Pulumi's language host for Python: the process through which an engine runs our programs and policy packs.

An official installation of Pulumi brings its own; an engine built from Go modules has none, and finds this one
as `pulumi-language-python` (see `links`). The contract is the `LanguageRuntime` service of `language.proto` in
the Pulumi SDK: the engine starts the host with its own address as the last argument, reads a port from the first
line of standard output, and calls. Whatever is written to standard output and standard error after that line,
by us or by the program, appears in the engine's log.

The file is started by its path and imports nothing of ours. It takes no part in making plugins or code: the
engine is told so by the `UNIMPLEMENTED` of the calls that are not here.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import IO, Any, cast

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2
from pulumi.runtime.proto.language_pb2 import RunPluginResponse as Response

RUNNER = Path(__file__).resolve().with_name("program_runner.py")
SHOWN = 32  # the runner's exit code for "the user has been shown the error"
LARGEST_MESSAGE = 400 * 1024 * 1024  # bytes; the limit that the SDK sets on its own connections
LOOK_AT_PARENT = 0.5  # seconds
_CHUNK = 64 * 1024

# The module makes its classes when it is imported, so no checker can see them there.
Empty = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName("google.protobuf.Empty"))


class BadRuntimeOption(Exception):
    """`Pulumi.yaml` or `PulumiPolicy.yaml` asks for an interpreter that is not there."""


def interpreter(info: language_pb2.ProgramInfo) -> Path:
    """The interpreter that the project's `virtualenv` option names, and without that option our own.

    Raises BadRuntimeOption when the option names a folder without an interpreter.
    """
    option = info.options.fields["virtualenv"].string_value if "virtualenv" in info.options.fields else ""
    if not option:
        return Path(sys.executable)
    # Not resolved: a virtual environment is where its link to the interpreter is, not where that leads.
    python = Path(os.path.normpath(Path(info.root_directory) / option)) / "bin" / "python"
    if not python.exists():
        raise BadRuntimeOption(
            f"the option 'virtualenv' of {info.root_directory} names '{option}', which holds no bin/python: "
            "run 'make setup', or correct the option"
        )
    return python


def environment(python: Path, extra: Iterable[str] = ()) -> dict[str, str]:
    """What a program of `python`'s virtual environment sees: ours, with `extra` ("NAME=value") on top."""
    env = dict(os.environ)
    for entry in extra:
        name, _, value = entry.partition("=")
        env[name] = value
    # Without bytecode every run compiles the SDKs' thousands of modules again.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env.pop("PYTHONHOME", None)
    if (python.parent.parent / "pyvenv.cfg").exists():
        env["VIRTUAL_ENV"] = str(python.parent.parent)
        env["PATH"] = f"{python.parent}{os.pathsep}{env.get('PATH', '')}"
    return env


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine. Programs and policy packs run in processes of their own, which end with this one."""

    def __init__(self, engine: str) -> None:
        """`engine` is the address of the engine that started us, "HOST:PORT"."""
        self._engine = engine
        self._running: set[subprocess.Popen[bytes]] = set()
        self._cancelled = False

    def Handshake(self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext) -> Any:
        """An engine that attaches to a running host says here where it is."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Message, context: grpc.ServicerContext) -> Any:
        """Our version is that of the SDK whose protocol we speak."""
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> Any:
        """None: the engine learns of providers when the program first uses them."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext) -> Any:
        """None, for the same reason."""
        return language_pb2.GetRequiredPluginsResponse()

    def RuntimeOptionsPrompts(self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext) -> Any:
        """`pulumi new` need not ask anything."""
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> Any:
        """The interpreter, for `pulumi about`."""
        version = ".".join(map(str, sys.version_info[:3]))
        return language_pb2.AboutResponse(executable=sys.executable, version=version)

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> Any:
        """The installed distributions, for `pulumi about`."""
        found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=n, version=v) for n, v in sorted(found.items())]
        )

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Only `make setup` installs: from the lock file, with its hashes."""
        yield language_pb2.InstallDependenciesResponse(stdout=b"Dependencies come from requirements.lock: make setup\n")

    def Cancel(self, request: Message, context: grpc.ServicerContext) -> Any:
        """The operation is being cancelled: a program that still runs is waiting for answers that won't come."""
        self._cancelled = True
        self.end()
        return Empty()

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> Any:
        """Runs the program to its end; an error that the user has not yet seen is in the answer."""
        info = request.info
        try:
            python = interpreter(info)
        except BadRuntimeOption as error:
            return language_pb2.RunResponse(error=str(error))
        program = Path(info.program_directory) / info.entry_point
        if program.is_dir() and not (program / "__main__.py").is_file():
            return language_pb2.RunResponse(
                error=f"unable to find main python program `__main__.py` in `{program.resolve()}`"
            )
        child = self._start(
            python,
            ["program"],
            context,
            cwd=info.program_directory,
            env=environment(python),
            stdin=subprocess.PIPE,
        )
        order = {
            "config": dict(request.config),
            "config_secret_keys": list(request.configSecretKeys),
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "monitor": request.monitor_address,
            "engine": self._engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "root_directory": info.root_directory,
            "program": str(program),
            "working_directory": request.pwd or info.program_directory,
            "arguments": list(request.args),
        }
        # By standard input: configuration may hold secrets, and has no size limit there.
        child.communicate(json.dumps(order).encode())
        self._running.discard(child)
        return self._outcome(child.returncode)

    def _outcome(self, code: int) -> language_pb2.RunResponse:
        if code == 0:
            return language_pb2.RunResponse()
        if code == SHOWN or self._cancelled:
            return language_pb2.RunResponse(bail=True)
        if code < 0:
            return language_pb2.RunResponse(error=f"the program was ended by {signal.Signals(-code).name}")
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {code}")

    def RunPlugin(self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext) -> Iterator[Response]:
        """Runs a policy pack and streams what it writes; the engine reads the pack's port from that."""
        if request.kind and request.kind != "analyzer":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"this host runs policy packs, not plugins: {request.kind}")
        try:
            python = interpreter(request.info)
        except BadRuntimeOption as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        child = self._start(
            python,
            ["policy", request.info.program_directory, *request.args],
            context,
            cwd=request.pwd,
            env=environment(python, tuple(request.env)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        chunks: queue.SimpleQueue[Response | None] = queue.SimpleQueue()
        pumps = (
            (child.stdout, lambda data: Response(stdout=data)),
            (child.stderr, lambda data: Response(stderr=data)),
        )
        for pump in pumps:
            threading.Thread(target=_pump, args=(*pump, chunks), daemon=True).start()
        open_streams = len(pumps)
        while open_streams:
            if (chunk := chunks.get()) is None:
                open_streams -= 1
            else:
                yield chunk
        code = child.wait()
        self._running.discard(child)
        yield Response(exitcode=code)

    def _start(
        self, python: Path, arguments: list[str], context: grpc.ServicerContext, **options: Any
    ) -> subprocess.Popen[bytes]:
        # In our process group, which the engine made for us: what it signals reaches the program too.
        command = [str(python), "-u", "-P", str(RUNNER), str(os.getpid()), *arguments]
        child = cast("subprocess.Popen[bytes]", subprocess.Popen(command, **options))
        self._running.add(child)
        if not context.add_callback(child.kill):  # the call was already given up
            child.kill()
        return child

    def end(self) -> None:
        """Ends whatever still runs. Takes no lock: a signal handler calls it too."""
        for child in tuple(self._running):
            child.kill()


def _pump(stream: IO[bytes], wrap: Callable[[bytes], Response], chunks: queue.SimpleQueue[Response | None]) -> None:
    while data := os.read(stream.fileno(), _CHUNK):
        chunks.put(wrap(data))
    chunks.put(None)


def main() -> None:
    """Serves until a signal ends us or the engine is gone."""
    parent = os.getppid()
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    host = Host(addresses[-1] if addresses else "")

    def leave(*_: object) -> None:
        host.end()
        os._exit(0)

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    server = grpc.server(
        ThreadPoolExecutor(max_workers=16), options=[("grpc.max_receive_message_length", LARGEST_MESSAGE)]
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # An engine that was killed cannot tell us. Watching our parent works everywhere; Linux's signal at the
    # parent's death follows the thread that started us, which a Go program may end at any time.
    while os.getppid() == parent:
        time.sleep(LOOK_AT_PARENT)
    leave()


if __name__ == "__main__":
    main()
