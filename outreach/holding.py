"""Why a person is left out by name (decisions 4): a code for the row, a sentence for the screen."""

from __future__ import annotations

from collections.abc import Sequence

from outreach.rendering import FIELDS

BLANK = "blank:"
_WORDS = {
    "opted_out": "Asked not to be written to. That stays; an import cannot bring them back.",
    "complained": "Complained about an earlier mail. That stays.",
    "bounced": "An earlier mail to this address came back.",
    "by_hand": "Stands on the suppression list.",
    "no_source": "It is not recorded how this address was found.",
    "no_basis": "No basis for writing to this person is recorded.",
    "consent_needed": "Their country asks for consent before a first mail, and none is recorded.",
    "cool_down": "Another campaign wrote to this person lately, or is about to.",
    "template": "A field of the text cannot be filled in for this person.",
    "no_links": "No link of this site is left to ask about.",
}


def blank_code(fields: Sequence[str]) -> str:
    """Fits the column: a very long list is cut between two names."""
    code = BLANK
    for name in fields:
        if len(code) + len(name) + 1 > 60:
            break
        code += ("," if code != BLANK else "") + name
    return code if code != BLANK else (BLANK + fields[0])[:60]


def held_sentence(code: str) -> str:
    """The sentence for a code that `blank_code` or a gate made."""
    if code.startswith(BLANK):
        names = [
            FIELDS.get(name) or name.replace("_", " ").strip() for name in code.removeprefix(BLANK).split(",")
        ]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        verb = "is" if len(names) == 1 else "are"
        return f"{listed[:1].upper()}{listed[1:]} {verb} blank here, and the text has no fallback."
    return _WORDS.get(code, "Left out of this campaign.")
