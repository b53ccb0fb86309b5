"""How a simulated cloud says no."""

from __future__ import annotations

import grpc


class CloudError(Exception):
    """A call was refused, in the words that the cloud would use."""

    def __init__(self, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        super().__init__(message)
        self.code = code


def fill(template: str, **values: str) -> str:
    """A message with `{value}`-like places filled in; other braces are left alone."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template
