"""What a slice exports is what another one reads, type for type, whatever the engine does to it on the way."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import pytest
from pulumi import Output

from components.outputs import ClusterOutputs, IdentityEndpoint, NetworkOutputs, PlatformOutputs
from stacks.errors import ConfigErrors
from stacks.exports import FORMAT, encode, plain, read
from stacks.slices import Slice
from tests.backend import REFERENCE, Backend, Made, Value, run

REGION = Slice("staging", "west")
STACK = "organization/meridian/staging.west"
CLUSTER: dict[str, Any] = {
    "name": "staging-west-1",
    "version": "1.35.4",
    "kubeconfig": "apiVersion: v1",
    "oidc_issuer": "https://issuer",
    "identity_anchor": "arn:aws:iam::111122223333:role/tenants",
    "identity_endpoints": (IdentityEndpoint(cidr="169.254.170.23/32", ports=(80, 443)),),
    "storage_class": "encrypted",
}
CROSSING = (NetworkOutputs, ClusterOutputs, PlatformOutputs)


def cluster() -> ClusterOutputs:
    values = {name: Output.from_input(value) for name, value in CLUSTER.items()}
    return ClusterOutputs(**values | {"kubeconfig": Output.secret(CLUSTER["kubeconfig"])})


def exported() -> dict[str, Any]:
    """What a stack that exports a cluster has in its state."""

    async def program() -> dict[str, Any]:
        return encode(cluster=cluster())

    found, _ = run(Backend(), program)
    return {name: value.value if isinstance(value, Value) else value for name, value in found.items()}


def read_cluster(backend: Backend, **more: Any) -> tuple[dict[str, Value], list[Made]]:
    async def program() -> dict[str, Any]:
        return vars((await read(REGION)).decode(ClusterOutputs, "cluster"))

    return run(backend, program, **more)


def up(outputs: dict[str, Any], **more: Any) -> Backend:
    """A backend in which the region's stack has these outputs."""
    return Backend({"staging.west": outputs}, **more)


def told(backend: Backend, **more: Any) -> str:
    with pytest.raises(ConfigErrors) as caught:
        read_cluster(backend, **more)
    return str(caught.value)


ABSENT = [pytest.param(Backend(), id="no such stack"), pytest.param(up({}), id="a stack that was never up")]


def test_every_field_is_an_output_of_its_own_and_only_the_secret_is_secret():
    async def program() -> dict[str, Any]:
        return encode(cluster=cluster())

    found, _ = run(Backend(), program)

    assert found.pop("format") == FORMAT
    assert set(found) == {f"cluster_{field.name}" for field in fields(ClusterOutputs)}
    assert [name for name, value in found.items() if value.secret] == ["cluster_kubeconfig"]
    assert found["cluster_identity_endpoints"].value == [{"cidr": "169.254.170.23/32", "ports": [80, 443]}]


@pytest.mark.parametrize("preview", [True, False])
def test_what_was_exported_is_read_as_it_was(preview):
    # The engine stores numbers as floats and no tuples.
    state = exported() | {"cluster_identity_endpoints": [{"cidr": "169.254.170.23/32", "ports": [80.0, 443.0]}]}
    backend = up(state | {"format": float(FORMAT)}, secrets=("cluster_kubeconfig",))

    found, made = read_cluster(backend, preview=preview)

    assert {name: value.value for name, value in found.items()} == CLUSTER
    assert [name for name, value in found.items() if value.secret] == ["kubeconfig"]
    assert [(one.type, one.name, one.props) for one in made] == [(REFERENCE, "staging.west", {"id": STACK})]
    ports = found["identity_endpoints"].value[0].ports
    assert all(type(port) is int for port in ports)


@pytest.mark.parametrize("backend", ABSENT)
def test_in_a_preview_what_is_not_there_yet_is_unknown(backend):
    found, made = read_cluster(backend, preview=True)

    assert set(found) == set(CLUSTER)
    assert not any(value.known for value in found.values())
    assert made == []


@pytest.mark.parametrize("backend", ABSENT)
def test_in_an_update_what_is_not_there_yet_is_an_error_that_says_what_to_run(backend):
    assert told(backend) == "stack staging.west is not up yet: run `meridian up staging.west` first"


def test_a_field_that_is_missing_is_unknown_in_a_preview_and_an_error_in_an_update():
    state = exported()
    del state["cluster_oidc_issuer"]

    found, _ = read_cluster(up(state), preview=True)
    assert [name for name, value in found.items() if not value.known] == ["oidc_issuer"]
    assert told(up(state)) == (
        'stack staging.west has no output "cluster_oidc_issuer" yet: run `meridian up staging.west` first'
    )


@pytest.mark.parametrize("preview", [True, False])
def test_outputs_of_another_format_are_refused(preview):
    older = told(up(exported() | {"format": FORMAT - 1}), preview=preview)
    newer = told(up(exported() | {"format": FORMAT + 1}), preview=preview)
    none = told(up({"something": "else"}), preview=preview)

    assert older == (
        f"outputs of stack staging.west have format {FORMAT - 1}, this program reads format {FORMAT}: "
        "run `meridian up staging.west` first"
    )
    assert newer.endswith(
        f"format {FORMAT + 1}, this program reads format {FORMAT}: use a newer version of the program"
    )
    assert none.startswith("outputs of stack staging.west have no format")


def test_any_other_failure_of_the_backend_is_not_taken_for_a_missing_stack():
    with pytest.raises(Exception, match="incorrect passphrase"):
        read_cluster(Backend(broken="incorrect passphrase"), preview=True)


@pytest.mark.parametrize("kind", CROSSING)
def test_what_crosses_slices_can_be_unknown_everywhere(kind):
    async def program() -> dict[str, Any]:
        return dict(vars((await read(REGION)).decode(kind, "any")))

    found, _ = run(Backend(), program, preview=True)

    assert set(found) == {field.name for field in fields(kind)}


def test_a_plain_field_cannot_cross():
    @dataclass(frozen=True)
    class Plain:
        size: int

    async def program() -> dict[str, Any]:
        return vars((await read(REGION)).decode(Plain, "any"))

    with pytest.raises(TypeError, match="must be an Output"):
        run(Backend(), program, preview=True)


def test_plain_keeps_what_is_plain_and_unfolds_the_rest():
    endpoint = IdentityEndpoint(cidr="10.0.0.0/8", ports=(1,))

    assert plain({"a": (endpoint,), "b": None, "c": 1.5, "d": 2.0, "e": True}) == {
        "a": [{"cidr": "10.0.0.0/8", "ports": [1]}],
        "b": None,
        "c": 1.5,
        "d": 2,
        "e": True,
    }
