"""Functions (invokes) that programs call: the ones with an answer, and an honest refusal for all others."""

from __future__ import annotations

from sandbox.clouds.errors import CloudError
from sandbox.clouds.functions import aws, azure, gcp
from sandbox.clouds.functions.call import Call
from sandbox.wire import Object

_FUNCTIONS = {"aws": aws.FUNCTIONS, "azure-native": azure.FUNCTIONS, "gcp": gcp.FUNCTIONS}


def invoke(token: str, call: Call) -> Object:
    """The function's answer. Raises CloudError for what the cloud or the sandbox cannot answer."""
    package = call.account.package
    function = _FUNCTIONS[package].get(token)
    if function is not None:
        return function(call)
    if package == "azure-native" and ":get" in token:
        return azure.look_up(token, call)
    known = ", ".join(sorted(_FUNCTIONS[package]))
    raise CloudError(f"the sandbox has no answer for the function {token}; it answers {known}")
