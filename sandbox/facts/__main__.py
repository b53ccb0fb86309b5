"""Command: write `sandbox/data/facts/<package>.json` for the types that the behaviour data names."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from sandbox.clouds.behaviour import DATA, load_behaviour
from sandbox.facts.arm import ArmFacts
from sandbox.facts.model import Resource, reachable
from sandbox.facts.sdk import Sdk, UnknownToken
from sandbox.facts.terraform import TerraformFacts

PACKAGES = ("aws", "azure-native", "gcp")


def generate(package: str, schemas: Path) -> str:
    """The facts file of one package, as text. Raises UnknownToken for a type that the SDK does not have."""
    sdk = Sdk(package)
    behaviour = load_behaviour(package)
    resources: dict[str, Resource] = {token: sdk.resource(token) for token in sorted(behaviour.resources)}
    if package == "azure-native":
        arm = ArmFacts(schemas)
        for token, resource in resources.items():
            arm.apply(resource, sdk.types, behaviour.resources[token].name_property)
    else:
        terraform = TerraformFacts(schemas, package)
        for resource in resources.values():
            terraform.apply(resource, sdk.types)
    used = sorted(reachable(resources, sdk.types))
    document = {
        "package": package,
        "generated": "python -m sandbox.facts; do not edit: change sandbox/data/behaviour and generate again",
        "sdk": f"pulumi-{package} {sdk.version}",
        "resources": {token: resource.written() for token, resource in resources.items()},
        "types": {name: {prop: shape.written() for prop, shape in sorted(sdk.types[name].items())} for name in used},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Entry point; exit 2 when a source is missing or a type is unknown."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.facts", description=__doc__)
    parser.add_argument("--from", dest="schemas", type=Path, required=True, metavar="DIR", help="schema folder")
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    options = parser.parse_args()
    stale = []
    for package in PACKAGES:
        target = DATA / "facts" / f"{package}.json"
        try:
            text = generate(package, options.schemas)
        except (UnknownToken, OSError) as error:
            sys.stderr.write(f"{package}: {error}\n")
            return 2
        if options.check:
            if not target.exists() or target.read_text() != text:
                stale.append(str(target))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            sys.stdout.write(f"{target.relative_to(DATA.parent.parent)}: {len(text)} bytes\n")
    for name in stale:
        sys.stdout.write(f"{name} is stale: run python -m sandbox.facts --from {options.schemas}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
