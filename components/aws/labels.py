"""Labels as AWS tags."""

from __future__ import annotations

import re

from components.labels import Labels

_FORBIDDEN = re.compile(r"[^\w\s.:/=+@-]")
LONGEST = 256


def encode(labels: Labels, component: str) -> dict[str, str]:
    """Tags of the resource with the logical name `component`, with `Name`, which the console shows.

    Values: at most 256 letters, digits, spaces and _ . : / = + - @; anything else becomes an underscore
    (https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html#id_tags_naming_best_practices).
    """
    tags = {**labels.canonical(component), "Name": component}
    return {key: _FORBIDDEN.sub("_", value)[:LONGEST] for key, value in tags.items()}
