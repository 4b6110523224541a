"""Choices in a text: `{Hello|Hi|Good morning}`, one of which each person gets, the same each time.

A choice is written in single braces with at least one bar, as the field does it. It cannot be taken for
Liquid, whose `{{ }}` and `{% %}` are read first and whole, nor for a [placeholder]: `{first name}`, without a
bar, still is one and stops a launch. An option may hold fields, whole conditions, whole tags of HTML and one
more level of choices; spaces at its ends do not count. `\\{`, `\\|` and `\\}` are the characters themselves.
Inside a tag of HTML, an address of a link say, braces are left alone.

The choice is made in the text, before values are filled in: braces in a person's data choose nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

DEEPEST = 2
# Ways to come out of one choice, those of choices inside it counted.
MOST_WAYS = 30
# Of three braces in a row the last two are a field: `{{{ first_name }}|friend}` is a choice.
_WORDS = r"\\[{|}]|{(?={{)|{{.*?}}|{%.*?%}|[{|}]"
_IN_TEXT = re.compile(_WORDS, re.DOTALL)
_IN_HTML = re.compile(rf"{_WORDS}|<[^>]*>", re.DOTALL)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)[^>]*>", re.IGNORECASE)
_ALONE = frozenset(["br", "hr"])
_LINE_END = re.compile(r"\n|</?(?:p|div|li|h[1-6]|br|blockquote)\b", re.IGNORECASE)
_FIELD = re.compile(r"{[{%]")
# Braces inside braces inside braces: what is read at all, so that nothing recurses without an end.
_READ = 12


@dataclass(frozen=True)
class Piece:
    """A stretch of the source that says `words`: itself, or the character that a backslash keeps."""

    start: int
    end: int
    words: str


@dataclass
class Group:
    """One choice, with where each option begins and ends."""

    start: int
    number: int
    edges: list[int] = field(default_factory=list)
    options: list[list[Part]] = field(default_factory=lambda: [[]])
    end: int = 0

    def spans(self) -> Iterator[tuple[int, int]]:
        begins = [self.start + 1, *(edge + 1 for edge in self.edges)]
        yield from zip(begins, [*self.edges, self.end - 1], strict=True)


Part = Piece | Group
Parts = Sequence[Part]
# Which option of a choice: its number in the text, and how many there are.
Pick = Callable[[int, int], int]


@dataclass(frozen=True)
class Fault:
    """`code`: "open", "stray", "empty", "deep", "many" or "tags"."""

    code: str
    at: int


@dataclass(frozen=True)
class _Tree:
    parts: Parts
    faults: tuple[Fault, ...]

    @property
    def chooses(self) -> bool:
        return any(isinstance(part, Group) for part in self.parts)


def picked(contact: UUID, step: UUID, *, part: str, turn: int = 0) -> Pick:
    """What this person gets in this part ("subject", "body") of this step, each time; `turn` options on."""

    def pick(number: int, many: int) -> int:
        said = hmac.digest(contact.bytes, step.bytes + f"{part}:{number}".encode(), hashlib.sha256)
        return (int.from_bytes(said[:8]) + turn) % many

    return pick


def first(number: int, many: int) -> int:
    """For where nobody in particular reads it."""
    return 0


def choose(source: str, pick: Pick, *, html: bool) -> str:
    """The text with one option in place of each choice."""
    return _said(_read(source, html).parts, pick)


def variants(source: str, *, html: bool, fields_only: bool = False) -> list[str]:
    """As few texts as it takes for each option to stand in one of them.

    `fields_only`: choices that hold no field or condition are not gone through.
    """
    return list(_variants(source, html, fields_only))


def in_place(source: str, *, html: bool) -> list[str]:
    """The same as `variants`, with spaces for what is not chosen: every place is a place in the source."""
    tree = _read(source, html)
    if not tree.chooses:
        return [_said_in_place(tree.parts, source)]
    return [_said_in_place(parts, source) for parts in _covering(tree.parts, fields_only=False)]


def options(source: str, *, html: bool) -> list[tuple[str, int]]:
    """Each option by itself, with its first choices made, and where it begins."""
    return [
        (_said(option, first), start)
        for group in _groups(_read(source, html).parts)
        for option, (start, _) in zip(group.options, group.spans(), strict=True)
    ]


def faults(source: str, *, html: bool) -> tuple[Fault, ...]:
    return _read(source, html).faults


def has_choices(source: str, *, html: bool) -> bool:
    return _read(source, html).chooses


@lru_cache(maxsize=512)
def _variants(source: str, html: bool, fields_only: bool) -> tuple[str, ...]:
    covering = _covering(_read(source, html).parts, fields_only=fields_only)
    return tuple(dict.fromkeys(_said(parts, first) for parts in covering))


@lru_cache(maxsize=512)
def _read(source: str, html: bool) -> _Tree:
    lists: list[list[Part]] = [[]]
    stack: list[Group] = []
    found: list[Fault] = []
    at, bar, number = 0, -1, 0
    for match in (_IN_HTML if html else _IN_TEXT).finditer(source):
        sign, start = match.group(), match.start()
        if start > at:
            lists[-1].append(Piece(at, start, source[at:start]))
        at = match.end()
        if sign == "{" and len(stack) < _READ:
            stack.append(Group(start, number))
            number += 1
            lists.append(stack[-1].options[0])
        elif sign == "|" and stack:
            stack[-1].edges.append(start)
            stack[-1].options.append([])
            lists[-1] = stack[-1].options[-1]
        elif sign == "}" and stack:
            group = stack.pop()
            lists.pop()
            group.end = at
            lists[-1].extend([group] if group.edges else _unread(group, source, at))
        else:
            if sign == "}" and bar >= 0 and not _LINE_END.search(source, bar, start):
                found.append(Fault("stray", start))
            bar = start if sign == "|" else bar
            lists[-1].append(Piece(start, at, sign[1:] if sign[0] == "\\" else sign))
    if at < len(source):
        lists[-1].append(Piece(at, len(source), source[at:]))
    while stack:
        group = stack.pop()
        lists.pop()
        lists[-1].extend(_unread(group, source, len(source)))
        if group.edges:
            found.append(Fault("open", group.start))
    parts = lists[0]
    found += _wrong(parts, source, html=html, depth=1)
    return _Tree(parts, tuple(sorted(found, key=lambda fault: fault.at)))


def _unread(group: Group, source: str, end: int) -> Iterator[Part]:
    """Braces that hold no choice, as the text they are."""
    yield Piece(group.start, group.start + 1, "{")
    for option, edge in zip(group.options, [*group.edges, None], strict=True):
        yield from option
        if edge is not None:
            yield Piece(edge, edge + 1, "|")
    if group.end:
        yield Piece(end - 1, end, "}")


def _wrong(parts: Parts, source: str, *, html: bool, depth: int) -> Iterator[Fault]:
    for group in parts:
        if not isinstance(group, Group):
            continue
        if depth > DEEPEST:
            yield Fault("deep", group.start)
            continue
        if depth == 1 and _ways(group) > MOST_WAYS:
            yield Fault("many", group.start)
        for option, (start, end) in zip(group.options, group.spans(), strict=True):
            words = source[start:end]
            if not re.sub(r"<[^>]*>|&nbsp;", "", words).strip():
                yield Fault("empty", start)
            elif html and not _whole(words):
                yield Fault("tags", start)
            yield from _wrong(option, source, html=html, depth=depth + 1)


def _ways(group: Group) -> int:
    return sum(
        max((_ways(part) for part in option if isinstance(part, Group)), default=1)
        for option in group.options
    )


def _whole(html: str) -> bool:
    """Whether each tag that begins here ends here."""
    still: list[str] = []
    for match in _TAG.finditer(html):
        shut, name = match.group(1), match.group(2).lower()
        if name in _ALONE:
            continue
        if not shut:
            still.append(name)
        elif not still or still.pop() != name:
            return False
    return not still


def _groups(parts: Parts) -> Iterator[Group]:
    for part in parts:
        if isinstance(part, Group):
            yield part
            for option in part.options:
                yield from _groups(option)


def _said(parts: Parts, pick: Pick) -> str:
    said = []
    for part in parts:
        if isinstance(part, Piece):
            said.append(part.words)
        else:
            chosen = part.options[pick(part.number, len(part.options)) % len(part.options)]
            said.append(_said(chosen, pick).strip())
    return "".join(said)


def _said_in_place(parts: Parts, source: str) -> str:
    """Pieces at their places in as much room as the source takes; line ends stay."""
    letters = [letter if letter == "\n" else " " for letter in source]
    for part in parts:
        if isinstance(part, Piece):
            letters[part.start : part.end] = part.words.rjust(part.end - part.start)
    return "".join(letters)


def _covering(parts: Parts, *, fields_only: bool) -> list[list[Piece]]:
    """Flat lists of pieces; each option of each choice is in at least one."""
    columns: list[list[list[Piece]]] = []
    for part in parts:
        if isinstance(part, Piece):
            columns.append([[part]])
            continue
        ways = [way for option in part.options for way in _covering(option, fields_only=fields_only)]
        if fields_only and not any(_FIELD.match(piece.words) for way in ways for piece in way):
            ways = ways[:1]
        # More than that stops a launch: it is not gone through to the end.
        columns.append([_trimmed(way) for way in ways[:MOST_WAYS]])
    many = max((len(column) for column in columns), default=1)
    return [
        [piece for column in columns for piece in column[min(row, len(column) - 1)]] for row in range(many)
    ]


def _trimmed(way: list[Piece]) -> list[Piece]:
    """Without the spaces at its ends, as `_said` leaves them out."""
    pieces = list(way)
    while pieces and not pieces[0].words.strip():
        pieces.pop(0)
    while pieces and not pieces[-1].words.strip():
        pieces.pop()
    if pieces:
        piece = pieces[0]
        words = piece.words.lstrip()
        pieces[0] = Piece(piece.end - len(words), piece.end, words)
        piece = pieces[-1]
        words = piece.words.rstrip()
        pieces[-1] = Piece(piece.start, piece.start + len(words), words)
    return pieces
