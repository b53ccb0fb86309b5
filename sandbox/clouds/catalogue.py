"""One package's data put together: the facts and the behaviour of every type, and what a type without data gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from sandbox.clouds.behaviour import Behaviour, PackageBehaviour, Reference, load_behaviour
from sandbox.clouds.schema import PackageFacts, TypeFacts, load_facts


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A resource type. `facts` is None for a type without data: everything is accepted and echoed."""

    token: str
    behaviour: Behaviour
    facts: TypeFacts | None


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All types of a package."""

    package: str
    behaviour: PackageBehaviour
    facts: PackageFacts

    def kind(self, token: str) -> Kind:
        """The type of this token, with or without data."""
        facts = self.facts.resources.get(token)
        behaviour = self.behaviour.resources.get(token)
        if facts is None or behaviour is None:
            return Kind(token=token, behaviour=replace(self.behaviour.common, token=token), facts=None)
        return Kind(token=token, behaviour=behaviour, facts=facts)

    def reference(self, token: str, path: str) -> Reference | None:
        """The reference that a type declares at a path."""
        return next((r for r in self.kind(token).behaviour.references if r.path == path), None)


@cache
def catalogue(package: str) -> Catalogue:
    """A package's catalogue, loaded once. Raises DataError."""
    return Catalogue(package=package, behaviour=load_behaviour(package), facts=load_facts(package))
