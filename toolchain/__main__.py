"""`python -m toolchain` finds, installs or builds the programs; with `--check` it only looks."""

from __future__ import annotations

import argparse
import sys
import time

from toolchain import programs
from toolchain.running import elapsed


def main() -> int:
    """The command; 0 when every program is there, 1 when one is not."""
    parser = argparse.ArgumentParser(prog="python -m toolchain", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only look: download and build nothing")
    started = time.monotonic()
    try:
        found = programs.find() if parser.parse_args().check else programs.ensure(_say)
    except programs.ToolchainError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the next set-up starts this step again\n")
        return 130
    if isinstance(found, programs.Missing):
        sys.stderr.write(f"{found}\n")
        return 1
    _say(f"pulumi {found.pulumi_version} ({found.pulumi_origin}): {found.pulumi}")
    _say(f"Kubernetes {found.kubernetes_version} ({found.kubernetes_origin}): {found.kube_apiserver.parent}")
    _say(f"programs ready: {elapsed(started)}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
