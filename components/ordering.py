"""Order between resources that no value expresses by itself."""

from __future__ import annotations

from typing import TypeVar

from pulumi import Output, Resource

T = TypeVar("T")


def once_made(value: Output[T], *needed: Resource) -> Output[T]:
    """`value`, handed out when the `needed` resources exist; whatever is made with it goes before they do.

    For values that are worthless alone: a role without its policies, a key that its user may not use yet. It waits for
    the resources' URNs, which a preview knows even of what is new. Waiting for their ids would make the value unknown
    in every preview that adds one of them, and what must be replaced when the value changes would preview that.
    """
    return Output.all(value, *[one.urn for one in needed]).apply(lambda found: found[0])
