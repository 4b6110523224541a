"""Merge fields: the Liquid that a step may hold, what is wrong with it, and filling it in.

The language is small on purpose: fields, `if`/`unless`/`case`, and filters that only change text. There is
no loop, no include and no Python object in reach. A field without a value leaves a trace (`blanks`) unless
`default` or an `if` looks after it; a field that nobody has is found by `check` before a launch.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from liquid import Environment, Markup, StrictUndefined
from liquid.exceptions import LiquidError
from liquid.mode import Mode

from outreach import spinning
from outreach.problems import Problem

TAGS = frozenset(["if", "unless", "case", "comment", "output", "content", "illegal"])
FILTERS = frozenset(
    ["default", "capitalize", "upcase", "downcase", "strip", "truncate", "truncatewords", "append", "prepend"]
)
MOST_CHARACTERS = 200_000

_LIQUID = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_URL = re.compile(r"https?://\S+")
_BLOCK = re.compile(r"<(?:p|div|li|h[1-6]|br|blockquote|tr)\b", re.IGNORECASE)
# What people and other tools write for "fill this in": [add stat], {first name}, *|FNAME|*, %FIRSTNAME%.
_PLACEHOLDER = re.compile(
    r"\[(?=[^\[\]\n]*[^\W\d_])[^\[\]\n]{1,80}\](?!\()"
    r"|(?<!{){(?=[^{}\n%]*[^\W\d_])[^{}\n%]{1,60}}(?!})"
    r"|\*\|[^|\n]{1,60}\|\*"
    r"|%[A-Z][A-Z_]{2,40}%"
)
_FAULT = re.compile(r"{{|}}|{%|%}")
_UNKNOWN_FIELD = "There is no field called “{}”."
_UNKNOWN_FILTER = "“{}” is not something a field can be changed with."
_HALF = "A condition has to begin and end in the same option of a choice."
# Of spinning.Fault.
_CHOICE = {
    "open": "A choice is not closed: write {one|another}. A brace by itself is written \\{.",
    "stray": "A choice is not opened: write {one|another}. A brace by itself is written \\}.",
    "empty": "An option of a choice is empty.",
    "deep": "A choice holds one more level of choices, and no third.",
    "many": f"A choice has at most {spinning.MOST_WAYS} options.",
    "tags": "Bold, links and paragraphs have to begin and end in the same option of a choice.",
}
_BRACES = "A field's braces do not match: write {{ field }}."


class _Small(Environment):
    output_stream_limit = MOST_CHARACTERS
    block_nesting_limit = 10

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS}
        self.filters = {name: run for name, run in self.filters.items() if name in FILTERS}


def _environment(*, autoescape: bool) -> Environment:
    return _Small(
        autoescape=autoescape, undefined=StrictUndefined, strict_filters=True, tolerance=Mode.STRICT
    )


_IN_HTML, _IN_TEXT = _environment(autoescape=True), _environment(autoescape=False)


class _Blank:
    """A known field without a value: false in `if`, replaced by `default`, noted where it is printed."""

    force_liquid_default = True

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        self._name, self._note = name, note

    def __str__(self) -> str:
        self._note(self._name)
        return ""

    def __liquid__(self) -> None:
        return None


class BadTemplate(ValueError):
    """The text is no template that can be filled in; `launch` names such problems long before."""


@lru_cache(maxsize=512)
def _parse(source: str, html: bool) -> object:
    return (_IN_HTML if html else _IN_TEXT).from_string(source)


def fill(
    source: str,
    values: Mapping[str, str | Sequence[str]],
    *,
    html: bool,
    pick: spinning.Pick = spinning.first,
) -> tuple[str, list[str]]:
    """(the text, the fields that came out blank). Values are escaped in HTML, lists become lists.

    `pick` makes the choices of the text, before values are in it: no value can make one. Raises BadTemplate.
    """
    return fill_chosen(spinning.choose(source, pick, html=html), values, html=html)


def fill_chosen(
    source: str, values: Mapping[str, str | Sequence[str]], *, html: bool
) -> tuple[str, list[str]]:
    """`fill` for a text whose choices are made: braces that are left in it are braces.

    Raises BadTemplate.
    """
    blanks: dict[str, None] = {}
    context: dict[str, object] = {}

    def blank(name: str) -> _Blank:
        return _Blank(name, lambda found: blanks.setdefault(found))

    for name, value in values.items():
        if isinstance(value, str):
            plain = " ".join(value.split())
        else:
            plain = _listed(value, html=html)
        context[name] = plain or blank(name)
    try:
        parsed = _parse(_inside(source), html)
        # A field of one's own that other people have and this one has not is blank here, not unknown.
        for name in parsed.global_variables():  # type: ignore[attr-defined]
            context.setdefault(name, blank(name))
        return str(parsed.render(**context)), list(blanks)  # type: ignore[attr-defined]
    except LiquidError as error:
        raise BadTemplate(_words(error)) from error


def check(source: str, *, known: set[str], html: bool) -> list[Problem]:
    """Everything that stops a launch, in any option of a choice: broken Liquid, unknown fields, leftovers."""
    problems = _choice_problems(source, html=html)
    # An option with broken Liquid breaks each text it stands in; it is said once.
    broken: dict[tuple[str, str], Problem] = {}
    for text in spinning.in_place(source, html=html):
        for problem in _liquid_problems(text, known=known, html=html):
            broken.setdefault((problem.code, problem.sentence), problem)
        problems += [
            Problem("placeholder", f"“{found}” is a leftover placeholder.", line=line_of(text, at, html=html))
            for found, at in placeholders(text, html=html)
        ]
    if not any(problem.code == "liquid" for problem in broken.values()):
        problems += _halves(source, html=html)
    problems += broken.values()
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.line)


def placeholders(source: str, *, html: bool) -> list[tuple[str, int]]:
    """(placeholder, where) for what was meant to be filled in by hand. Links are not looked into."""
    rest = source
    for pattern in (_LIQUID, _TAG, _URL) if html else (_LIQUID, _URL):
        rest = pattern.sub(lambda match: " " * len(match.group()), rest)
    return [
        (" ".join(entities.unescape(match.group()).split()), match.start())
        for match in _PLACEHOLDER.finditer(rest)
    ]


def line_of(source: str, at: int, *, html: bool) -> int:
    """The visible line, from 1: in HTML each block begins one."""
    before = source[:at]
    return max(1, len(_BLOCK.findall(before))) if html else before.count("\n") + 1


def _choice_problems(source: str, *, html: bool) -> list[Problem]:
    return [
        Problem("choice", _CHOICE[fault.code], line=line_of(source, fault.at, html=html))
        for fault in spinning.faults(source, html=html)
    ]


def _halves(source: str, *, html: bool) -> list[Problem]:
    """Options that hold a part of a condition: whole in one text, it may be broken in the next."""
    found = []
    for option, at in spinning.options(source, html=html):
        try:
            _parse(_inside(option), html)
        except LiquidError:
            found.append(Problem("liquid", _HALF, line=line_of(source, at, html=html)))
    return found


def _liquid_problems(source: str, *, known: set[str], html: bool) -> list[Problem]:
    try:
        parsed = _parse(_inside(source), html)
    except LiquidError as error:
        at = error.token.start_index if error.token is not None else 0
        return [Problem("liquid", _words(error), line=line_of(source, at, html=html))]
    names: list[str] = parsed.global_variable_paths()  # type: ignore[attr-defined]
    filters: list[str] = parsed.filter_names()  # type: ignore[attr-defined]
    problems = [
        Problem("liquid", _UNKNOWN_FILTER.format(name), line=_line_with(name, source, html=html))
        for name in sorted(set(filters) - FILTERS)
    ]
    stray = _FAULT.search(_LIQUID.sub(lambda match: " " * len(match.group()), source))
    if stray:
        problems.append(Problem("liquid", _BRACES, line=line_of(source, stray.start(), html=html)))
    for name in sorted(set(names) - known):
        line = _line_with(name, source, html=html)
        problems.append(Problem("unknown_field", _UNKNOWN_FIELD.format(name), line=line))
    return problems


def _line_with(name: str, source: str, *, html: bool) -> int:
    match = re.search(r"{[{%][^}]*" + re.escape(name), source)
    return line_of(source, match.start() if match else 0, html=html)


def _inside(source: str) -> str:
    """An editor writes entities and hard spaces also inside the braces; Liquid wants plain characters."""
    return _LIQUID.sub(lambda match: entities.unescape(match.group()).replace("\xa0", " "), source)


def _listed(values: Sequence[str], *, html: bool) -> str:
    if not values:
        return ""
    if html:
        return Markup("<ul>{}</ul>").format(
            Markup("").join(Markup("<li>{}</li>").format(value) for value in values)
        )
    return "\n".join(f"- {value}" for value in values)


def _words(error: LiquidError) -> str:
    """What is wrong, without the machine's picture of it."""
    said = str(error).splitlines()[0].strip()
    if "unknown filter" in said:
        name = said.rpartition("filter ")[2].strip("'\" ")
        return _UNKNOWN_FILTER.format(name)
    if "unexpected tag" in said or "unknown tag" in said:
        return f"{{% {said.rpartition('tag ')[2].strip(chr(39))} %}} cannot be used here."
    if "undefined" in said:
        return _UNKNOWN_FIELD.format(said.split()[0].strip("'"))
    return _BRACES


def has_leftovers(text: str) -> bool:
    """Whether filled-in text still holds braces of a field."""
    return _FAULT.search(_URL.sub(" ", text)) is not None
