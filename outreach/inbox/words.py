"""The words of a text in the form in which they are stored and looked for: HMACs under the workspace's key.

A word is a run of letters, digits and marks of any script after NFKC and case folding. Scripts without
spaces are cut into pairs of neighbours. So a search finds whole words; beginnings, endings and order it
cannot find, because two HMACs say nothing about each other (decisions 13).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from accounts.encryption import blind_index
from accounts.tenancy import current_workspace_id

# Distinct words of one mail; a longer one is found by its beginning.
MOST_WORDS = 500
# Characters that are looked at: the folded text of a hostile mail may be megabytes of one-letter words.
MOST_TEXT = 50_000
LONGEST_WORD = 64
# Of one search.
MOST_WANTED = 12
# Han, kana, Hangul, Thai, Lao, Burmese, Khmer: written without spaces, or with endings that cling to the
# word.
_PAIRED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
_RUN = re.compile(rf"[{_PAIRED}]+|[^{_PAIRED}]+")


def words_of(*texts: str, most: int = MOST_WORDS) -> list[str]:
    """Distinct, in the order of the texts, so that what is cut off is an end."""
    found: dict[str, None] = {}
    for text in texts:
        for word in _split(text[:MOST_TEXT]):
            if word not in found:
                found[word] = None
                if len(found) >= most:
                    return list(found)
    return list(found)


def marks_of(words: Iterable[str]) -> list[int]:
    """64 bits of each word's HMAC in the open workspace, as PostgreSQL's bigint, sorted."""
    here = current_workspace_id()
    return sorted({int.from_bytes(blind_index(here, "word", one)[:8], "big", signed=True) for one in words})


def _split(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in folded)
    for part in plain.split():
        for run in _RUN.findall(part):
            if not re.match(f"[{_PAIRED}]", run):
                # A single letter says nothing; a single digit may be the number of a link.
                if len(run) > 1 or run.isdecimal():
                    yield run[:LONGEST_WORD]
            elif len(run) == 1:
                yield run
            else:
                yield from (run[at : at + 2] for at in range(len(run) - 1))
