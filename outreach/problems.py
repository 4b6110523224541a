"""What keeps a text or a person from going out, as a fact that a screen can point at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`step` is the position of the step (0: the campaign itself), `line` the visible line from 1 (0: none).

    `field` is "subject", "body" or the name of a campaign's setting.
    """

    code: str
    sentence: str
    step: int = 0
    line: int = 0
    field: str = ""
