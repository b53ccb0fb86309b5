"""The programs that the sandbox and the `meridian` command run: where they are, or how to get them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toolchain import engine_source, golang, kubernetes_source, links
from toolchain.engine_source import Engine
from toolchain.kubernetes_source import ControlPlane
from toolchain.running import Progress, StepFailed


class ToolchainError(Exception):
    """A program could be neither found nor made; the message is for the user."""


@dataclass(frozen=True)
class Programs:
    """Everything that has to run, as absolute paths. Versions are without a leading "v"."""

    pulumi: Path
    pulumi_version: str
    pulumi_origin: str
    """ "PATH", "installer" or "built from Go modules"."""
    language_host_dir: Path | None
    """A folder that must be first on PATH, so that the engine finds our `pulumi-language-python`; None when an
    official one comes with the engine."""
    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kubernetes_version: str
    kubernetes_origin: str
    """The environment variable that named their folder, "PATH" or "built from Go modules"."""


@dataclass(frozen=True)
class Missing:
    """What is not there, and why what is there won't do."""

    names: tuple[str, ...]
    remarks: tuple[str, ...]

    def __str__(self) -> str:
        told = "".join(f"\n    {remark}" for remark in self.remarks)
        return f"not set up: {', '.join(self.names)}. Run 'make setup', which finds or builds them.{told}"


def find() -> Programs | Missing:
    """The programs as they are on this machine; neither downloads nor builds. Takes a fraction of a second."""
    engine, engine_remarks = engine_source.find()
    kubernetes, kubernetes_remarks = kubernetes_source.find()
    if engine is not None and kubernetes is not None:
        return _programs(engine, kubernetes)
    names = [] if engine else [f"pulumi ({engine_source.OLDEST} or newer)"]
    names += [] if kubernetes else [f"{', '.join(kubernetes_source.COMMANDS)} (Kubernetes {kubernetes_source.VERSION})"]
    return Missing(tuple(names), (*engine_remarks, *kubernetes_remarks))


def ensure(progress: Progress) -> Programs:
    """The programs; what is missing is installed or built, with a line of `progress` at least every 10 seconds.

    Raises ToolchainError with a message for the user.
    """
    try:
        engine = _engine(progress)
        kubernetes = _kubernetes(progress)
    except (StepFailed, OSError) as error:
        raise ToolchainError(str(error)) from error
    golang.forget_own_caches()
    return _programs(engine, kubernetes)


def _engine(progress: Progress) -> Engine:
    engine, remarks = engine_source.find()
    if engine is None:
        _tell(remarks, progress)
        engine_source.get(progress)
        engine, remarks = engine_source.find()
    if engine is None:
        raise ToolchainError(f"pulumi was made but is not found: {'; '.join(remarks)}")
    return engine


def _kubernetes(progress: Progress) -> ControlPlane:
    kubernetes, remarks = kubernetes_source.find()
    if kubernetes is None:
        _tell(remarks, progress)
        kubernetes_source.get(progress)
        kubernetes, remarks = kubernetes_source.find()
    if kubernetes is None:
        raise ToolchainError(f"Kubernetes' control plane was made but is not found: {'; '.join(remarks)}")
    return kubernetes


def _tell(remarks: list[str], progress: Progress) -> None:
    for remark in remarks:
        progress(f"not used: {remark}")


def _programs(engine: Engine, kubernetes: ControlPlane) -> Programs:
    pulumi, host = engine.path, None
    if not engine.has_host:
        host = links.place(engine.path, engine.version)
        pulumi = host / "pulumi"
    return Programs(
        pulumi=pulumi,
        pulumi_version=engine.version,
        pulumi_origin=engine.origin,
        language_host_dir=host,
        etcd=kubernetes.etcd,
        kube_apiserver=kubernetes.kube_apiserver,
        kube_controller_manager=kubernetes.kube_controller_manager,
        kubernetes_version=kubernetes.version,
        kubernetes_origin=kubernetes.origin,
    )
