"""When somebody who is away comes back, from common wordings in seventeen languages."""

from __future__ import annotations

import re
from datetime import date, timedelta
from email.utils import parsedate_to_datetime

from mailbox.parsing import absence_words as words

MAX_TEXT = 4000
LONGEST_DAYS = 400  # a return later than that is a slip of the pen
MAX_LOOKS = 5

_MONTH = words.any_of(words.MONTH_OF)
_DATE = rf"""(?:
    (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})|
    (?:(?P<year4>\d{{4}})\s?[年년]\s?)?(?P<month4>\d{{1,2}})\s?[月월]\s?(?P<day4>\d{{1,2}})\s?[日일]|
    (?:(?P<year5>\d{{4}})[.]?[ ])?(?P<month5>{_MONTH})[ ](?P<day5>\d{{1,2}})(?=[.-])|
    (?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?[ ](?:of[ ]|
    de[ ]|di[ ])?(?P<month>{_MONTH})\b\.?,?(?:[ ](?:de[ ]|del[ ])?(?P<year>\d{{4}}))?|
    (?P<month2>{_MONTH})\.?[ ](?:the[ ])?(?P<day2>\d{{1,2}})(?:st|nd|rd|
    th)?\b(?:,?[ ](?P<year2>\d{{4}}))?|
    (?P<first>\d{{1,2}})(?P<mark>[./-])[ ]?(?P<second>\d{{1,2}})(?:[./-][ ]?(?P<year3>\d{{4}}|\d{{2}}\b)?)?
    )(?![\d:])(?P<rest>[ ,]{{0,2}}\(?(?:inclusive|included|inclus|incluido|compreso|einschließlich|
    einschl|włącznie|
    включительно))?"""
_FLAGS = re.IGNORECASE | re.VERBOSE
_BACK_ON_DATE = re.compile(rf"(?P<cue>{words.CUE})[^\n.!?\d]{{0,40}}?{_DATE}", _FLAGS)
_NEAR_DATE = re.compile(rf"(?P<cue>{words.NEAR_CUE}){_DATE}", _FLAGS)
_DATE_AND_CUE = re.compile(rf"(?<!\d){_DATE}(?P<cue>{words.AFTER_CUE})", _FLAGS)
_EAST = re.compile(rf"(?P<cue>{words.EAST_CUE})[ ]?{_DATE}", _FLAGS)
_WEEKDAY = words.any_of(words.WEEKDAY_OF)
_BACK_ON_WEEKDAY = re.compile(
    rf"(?P<cue>{words.CUE}|{words.NEAR_CUE})[^\n.!?\d]{{0,30}}?\b(?P<weekday>{_WEEKDAY})\b", _FLAGS
)
_THROUGH = re.compile(words.THROUGH, re.IGNORECASE)
_AWAY = re.compile(words.AWAY, _FLAGS)


def says_away(body: str) -> bool:
    """Whether a text says that its writer is away."""
    return bool(_AWAY.search(_flat(body)))


def sent_on(header: str) -> date | None:
    """The day of a Date header as its sender counts it, or None."""
    try:
        return parsedate_to_datetime(header[:100]).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def back_on(body: str, *, after: date | None) -> date | None:
    """The day of return that `body` names; a date without a year or a weekday needs `after`, the mail's day.

    A numeric date that could be read in two ways, one that lies before the mail or further away than 400
    days: None.
    """
    body = _flat(body)
    for pattern in (_BACK_ON_DATE, _NEAR_DATE, _EAST, _DATE_AND_CUE):
        for match in list(pattern.finditer(body))[:MAX_LOOKS]:
            day = _day(match, after)
            if day is None:
                continue
            if _THROUGH.search(match.group()):
                day += timedelta(days=1)
            if after is None or after <= day <= after + timedelta(days=LONGEST_DAYS):
                return day
    weekday = _BACK_ON_WEEKDAY.search(body) if after else None
    if weekday is None or after is None:
        return None
    ahead = (words.WEEKDAY_OF[weekday.group("weekday").lower()] - after.weekday() - 1) % 7 + 1
    return after + timedelta(days=ahead + (1 if _THROUGH.search(weekday.group()) else 0))


def _flat(body: str) -> str:
    """One space between words, so that a line end inside a date does no harm; sentences keep their ends."""
    return " ".join(body[:MAX_TEXT].replace("\u00a0", " ").split())


def _day(match: re.Match[str], after: date | None) -> date | None:
    if match["iso"]:
        return _made(*(int(piece) for piece in match["iso"].split("-")))
    if match["day4"]:
        day, month, year = int(match["day4"]), int(match["month4"]), match["year4"]
    elif match["first"]:
        order = _day_and_month(int(match["first"]), int(match["second"]), match["mark"])
        if order is None:
            return None
        day, month = order
        year = match["year3"]
    else:
        day = int(match["day"] or match["day2"] or match["day5"])
        month = words.MONTH_OF[(match["month"] or match["month2"] or match["month5"]).lower()]
        year = match["year"] or match["year2"] or match["year5"]
    if year:
        return _made(int(year) + (2000 if len(year) == 2 else 0), month, day)
    if after is None:
        return None
    this_year = _made(after.year, month, day)
    return this_year if this_year and this_year >= after else _made(after.year + 1, month, day)


def _day_and_month(first: int, second: int, mark: str) -> tuple[int, int] | None:
    """3.6. is the third of June everywhere; 3/6 is June or March, so nothing is said."""
    if mark == "." or first > 12 or first == second:
        return first, second
    return (second, first) if second > 12 else None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
