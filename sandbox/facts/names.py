"""Correspondence of property names: Pulumi's camel case and plurals to Terraform's snake case."""

from __future__ import annotations

from collections.abc import Iterable


def camel(snake: str) -> str:
    """`cidr_block` -> `cidrBlock`."""
    head, *rest = snake.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def plurals(word: str) -> Iterable[str]:
    """Spellings that Pulumi's bridge gives to the plural of a list's name."""
    yield word
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        yield word[:-1] + "ies"
    if word.endswith(("s", "x", "ch", "sh", "z")):
        yield word + "es"
    if word.endswith("sis"):
        yield word[:-2] + "es"
    if word.endswith("index"):
        yield word[:-2] + "ices"
    yield word + "s"


def terraform_name(wire: str, candidates: Iterable[str]) -> str | None:
    """Which of Terraform's names becomes this Pulumi name: as it is, or in the plural."""
    exact = {camel(name): name for name in candidates}
    if wire in exact:
        return exact[wire]
    return next((name for spelt, name in exact.items() if wire in plurals(spelt)), None)
