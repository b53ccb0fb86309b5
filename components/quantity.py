"""Kubernetes quantities: comparing, scaling, and the form in which an API server gives them back.

An API server stores `1024Mi` as `1Gi` and `0.5` as `500m`
(https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). Writing that form from the start
keeps what we registered equal to what a refresh reads.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

_DECIMAL = {"m": Decimal("0.001"), "": Decimal(1), "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9)} | {
    "T": Decimal(10**12),
    "P": Decimal(10**15),
}
_BINARY = {"Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50)}
_FORM = re.compile(r"^(\d+(?:\.\d+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|)$")


def parse(quantity: str) -> Decimal:
    """The number of units (cores, bytes, pieces) that `quantity` stands for; ValueError when it is not a quantity."""
    match = _FORM.match(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a Kubernetes quantity such as 500m, 8 or 32Gi")
    number, suffix = match.groups()
    return Decimal(number) * (_DECIMAL | _BINARY)[suffix]


def _write(units: Decimal, *, binary: bool) -> str:
    if binary and units == units.to_integral_value() and units >= _BINARY["Ki"]:
        suffixes = {"": Decimal(1)} | _BINARY
    else:
        suffixes = _DECIMAL
    for suffix, size in sorted(suffixes.items(), key=lambda pair: pair[1], reverse=True):
        mantissa = units / size
        if mantissa == mantissa.to_integral_value() and mantissa != 0:
            return f"{int(mantissa)}{suffix}"
    thousandths = int((units * 1000).to_integral_value(ROUND_CEILING))  # finer than a thousandth is rounded up
    return f"{thousandths}m" if thousandths else "0"


def canonical(quantity: str) -> str:
    """The same quantity in an API server's own form."""
    return _write(parse(quantity), binary=quantity.endswith("i"))


def times(quantity: str, factor: Decimal | int) -> str:
    """`factor` times the quantity, in canonical form."""
    return _write(parse(quantity) * factor, binary=quantity.endswith("i"))


def smaller(one: str, other: str) -> str:
    """The smaller of two quantities, in canonical form."""
    return canonical(min(one, other, key=parse))
