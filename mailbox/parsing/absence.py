"""When somebody who is away comes back, from common wordings in English, German, French and Spanish."""

from __future__ import annotations

import re
from datetime import date, timedelta
from email.utils import parsedate_to_datetime

MAX_TEXT = 4000
LONGEST_DAYS = 400  # a return later than that is a slip of the pen

_MONTHS = {
    1: "january januar janvier enero jan ene janv",
    2: "february februar février fevrier febrero feb fév févr",
    3: "march märz maerz mars marzo mar mär mrz",
    4: "april avril abril apr abr avr",
    5: "may mai mayo",
    6: "june juni juin junio jun",
    7: "july juli juillet julio jul juil",
    8: "august août aout agosto aug ago",
    9: "september septembre septiembre setiembre sep sept",
    10: "october oktober octobre octubre oct okt",
    11: "november novembre noviembre nov",
    12: "december dezember décembre decembre diciembre dec dez déc dic",
}
_WEEKDAYS = {
    0: "monday montag lundi lunes",
    1: "tuesday dienstag mardi martes",
    2: "wednesday mittwoch mercredi miércoles miercoles",
    3: "thursday donnerstag jeudi jueves",
    4: "friday freitag vendredi viernes",
    5: "saturday samstag samedi sábado sabado",
    6: "sunday sonntag dimanche domingo",
}
_MONTH_OF = {word: number for number, words in _MONTHS.items() for word in words.split()}
_WEEKDAY_OF = {word: number for number, words in _WEEKDAYS.items() for word in words.split()}


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


# Between the words of return and the date stand at most 40 letters of the same sentence.
_CUE = r"""(?:
    \b(?:until|till|through|back|return(?:ing|s)?|available[ ]again|resume)\b|
    \bfrom[ ][^\n!?]{1,40}?[ ](?:to|-|–)[ ]|
    \b(?:bis|ab|wieder|zurück|zurueck|erreichbar)\b|
    \bjusqu['’](?:au|à)|\b(?:retour|à[ ]partir[ ]du|reviens|reviendrai|disponible)\b|
    \bdu[ ][^\n!?]{1,30}?[ ]au[ ]|
    \b(?:hasta|regreso|regresaré|vuelvo|volveré|vuelta|a[ ]partir[ ]del)\b|\bdel[ ][^\n!?]{1,30}?[ ]al[ ]
    )"""
_DATE = rf"""(?:
    (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})|
    (?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?[ ](?:of[ ]|
    de[ ])?(?P<month>{_any(_MONTH_OF)})\b\.?,?(?:[ ](?:de[ ]|del[ ])?(?P<year>\d{{4}}))?|
    (?P<month2>{_any(_MONTH_OF)})\.?[ ](?:the[ ])?(?P<day2>\d{{1,2}})(?:st|nd|rd|
    th)?\b(?:,?[ ](?P<year2>\d{{4}}))?|
    (?P<first>\d{{1,2}})(?P<mark>[./])(?P<second>\d{{1,2}})(?:[./](?P<year3>\d{{4}}|\d{{2}})?)?
    )(?![\d:])(?P<rest>[ ,]{{0,2}}\(?(?:inclusive|included|inclus|incluido|einschließlich|einschl))?"""
_BACK_ON_DATE = re.compile(rf"(?P<cue>{_CUE})[^\n.!?\d]{{0,40}}?{_DATE}", re.IGNORECASE | re.VERBOSE)
_BACK_ON_WEEKDAY = re.compile(
    rf"(?P<cue>{_CUE})[^\n.!?\d]{{0,30}}?\b(?P<weekday>{_any(_WEEKDAY_OF)})\b", re.IGNORECASE | re.VERBOSE
)
_THROUGH = re.compile(r"\bthrough\b|einschließlich|inclus", re.IGNORECASE)
_AWAY = re.compile(
    r"""out[ ]of[ ](?:the[ ]|my[ ])?office|(?:on|annual|parental|maternity|sick)[ ](?:vacation|holiday|
    leave)\b|
    away[ ]from[ ](?:my[ ]|the[ ])?(?:desk|office|e-?mail)|limited[ ]access[ ]to[ ](?:my[ ])?e-?mail|
    (?:bin|ist|befinde)\b.{0,60}?(?:abwesend|außer[ ]haus|im[ ]urlaub|nicht[ ](?:im[ ]büro|im[ ]haus|
    erreichbar|am[ ]platz))|
    nicht[ ]im[ ]büro|absent(?:e)?[ ](?:du[ ]bureau|jusqu|du[ ])|en[ ](?:congés?|vacances)|
    actuellement[ ]absent|
    fuera[ ]de[ ](?:la[ ])?oficina|de[ ]vacaciones|estoy[ ]ausente|estaré[ ]ausente|
    no[ ]estaré[ ]disponible""",
    re.IGNORECASE | re.VERBOSE,
)


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
    for match in list(_BACK_ON_DATE.finditer(body))[:5]:
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
    ahead = (_WEEKDAY_OF[weekday.group("weekday").lower()] - after.weekday() - 1) % 7 + 1
    return after + timedelta(days=ahead + (1 if _THROUGH.search(weekday.group()) else 0))


def _flat(body: str) -> str:
    """One space between words, so that a line end inside a date does no harm; sentences keep their ends."""
    return " ".join(body[:MAX_TEXT].replace("\u00a0", " ").split())


def _day(match: re.Match[str], after: date | None) -> date | None:
    if match["iso"]:
        return _made(*(int(piece) for piece in match["iso"].split("-")))
    if match["first"]:
        order = _day_and_month(int(match["first"]), int(match["second"]), match["mark"])
        if order is None:
            return None
        day, month = order
        year = match["year3"]
    else:
        day = int(match["day"] or match["day2"])
        month = _MONTH_OF[(match["month"] or match["month2"]).lower()]
        year = match["year"] or match["year2"]
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
