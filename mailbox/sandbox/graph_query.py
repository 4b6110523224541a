"""OData as far as Graph mail uses it: $select, $filter, $orderby, $expand, $search and paging."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from mailbox.sandbox.graph_shapes import FIELDS, ON_DEMAND, property_key
from mailbox.sandbox.mailstore import Stored
from mailbox.sandbox.refusals import Refusal

_CLAUSE = re.compile(r"^([\w/]+)\s+(eq|ne|ge|gt|le|lt)\s+(.+)$", re.S)
_PROPERTY = re.compile(
    r"^singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id\s+eq\s+'((?:[^']|'')*)'\s+and\s+"
    r"\1/value\s+eq\s+'((?:[^']|'')*)'\s*\)$",
    re.S | re.I,
)
_SIGNS = {"eq": "=", "ne": "!=", "ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_COLUMNS = {
    "receivedDateTime": "at",
    "sentDateTime": "at",
    "createdDateTime": "at",
    "lastModifiedDateTime": "at",
    "conversationId": "thread",
    "internetMessageId": "message_id",
    "subject": "subject",
}
_ADDRESSES = ("from/emailAddress/address", "sender/emailAddress/address")


@dataclass(frozen=True)
class Filter:
    """A condition over the table of mails, the names it mentions, and extended properties to compare."""

    condition: str
    values: tuple[Any, ...]
    names: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]

    def fits(self, stored: Stored) -> bool:
        own = {property_key(name): value for name, value in stored.properties.items()}
        return all(own.get(property_key(name)) == value for name, value in self.properties)


def selected(text: str | None) -> frozenset[str] | None:
    """The fields of $select; None where it is absent. Raises Refusal."""
    if not text:
        return None
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in FIELDS and name not in ON_DEMAND:
            message = f"Could not find a property named '{name}' on type 'microsoft.graph.message'."
            raise Refusal(400, "RequestBroker--ParseUri", message)
    return names


def filtered(text: str | None) -> Filter:
    """Parse $filter: clauses joined by `and`. Raises Refusal."""
    conditions, values, names, properties = ["1"], [], [], []
    for clause in _clauses(text or ""):
        found = _PROPERTY.match(clause)
        if found:
            properties.append((_unquote(found.group(2)), _unquote(found.group(3))))
            conditions.append("instr(properties, ?)")
            values.append(_unquote(found.group(3)))
            names.append("singleValueExtendedProperties")
            continue
        parts = _CLAUSE.match(clause)
        if not parts:
            raise Refusal(400, "ErrorInvalidUrlQueryFilter", f"Invalid filter clause: {clause}")
        name, operator, value = parts.groups()
        condition, value_ = _condition(name, operator, value.strip())
        conditions.append(condition)
        values.append(value_)
        names.append(name)
    return Filter(" AND ".join(conditions), tuple(values), tuple(names), tuple(properties))


def order(text: str | None, filter_: Filter) -> str:
    """$orderby as SQL. What is ordered by must lead the filter, as Exchange demands. Raises Refusal."""
    name, _, direction = (text or "receivedDateTime desc").strip().partition(" ")
    if name not in _COLUMNS:
        raise Refusal(400, "ErrorInvalidUrlQuery", f"Cannot order by {name}.")
    if text and filter_.names and filter_.names[0] != name:
        raise Refusal(
            400, "InefficientFilter", "The restriction or sort order is too complex for this operation."
        )
    way = "ASC" if direction.strip().lower() == "asc" else "DESC" if direction.strip() or not text else "ASC"
    return f"{_COLUMNS[name]} {way}, pk {way}"


def expanded(text: str | None) -> list[str]:
    """The ids in $expand=singleValueExtendedProperties($filter=id eq '...' or id eq '...')."""
    if not text:
        return []
    if not text.lower().startswith("singlevalueextendedproperties"):
        return []
    return [_unquote(value) for value in re.findall(r"id\s+eq\s+'((?:[^']|'')*)'", text)]


def page_size(request: web.Request, default: int = 10) -> int:
    """$top, else Prefer: odata.maxpagesize. Raises Refusal."""
    top = request.query.get("$top", "")
    if top and (not top.isdigit() or not 0 < int(top) <= 1000):
        raise Refusal(400, "ErrorInvalidUrlQuery", "The value of $top must be between 1 and 1000.")
    if top:
        return int(top)
    preferred = re.search(r"odata\.maxpagesize\s*=\s*(\d+)", prefer(request))
    return max(1, min(1000, int(preferred.group(1)))) if preferred else default


def prefer(request: web.Request) -> str:
    return ", ".join(request.headers.getall("Prefer", []))


def wants_immutable_ids(request: web.Request) -> bool:
    return bool(re.search(r'IdType\s*=\s*"?ImmutableId"?', prefer(request), re.I))


def wants_text(request: web.Request) -> bool:
    return bool(re.search(r'outlook\.body-content-type\s*=\s*"?text"?', prefer(request), re.I))


def _condition(name: str, operator: str, value: str) -> tuple[str, Any]:
    sign = _SIGNS[operator]
    if name == "isDraft":
        draft = (value.lower() == "true") == (operator == "eq")
        return ("folder = ?" if draft else "folder != ?"), "drafts"
    if name == "isRead":
        read = (value.lower() == "true") == (operator == "eq")
        return ("folder != ?" if read else "folder = ?"), "inbox"
    if name in _ADDRESSES:
        return "(' ' || sender) LIKE ?", "% " + _literal(value).lower()
    if name not in _COLUMNS:
        raise Refusal(400, "ErrorInvalidUrlQueryFilter", f"The property '{name}' cannot be filtered here.")
    if _COLUMNS[name] == "at":
        return f"at {sign} ?", _seconds(value)
    return f"{_COLUMNS[name]} {sign} ?", _literal(value)


def _clauses(text: str) -> list[str]:
    """Split on `and` outside quotes and parentheses; outer parentheses are taken off."""
    clauses, depth, quoted, start = [], 0, False, 0
    i = 0
    while i < len(text):
        char = text[i]
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
        elif not quoted and not depth and text[i : i + 5].lower() == " and ":
            clauses.append(text[start:i])
            i += 4
            start = i + 1
        i += 1
    clauses.append(text[start:])
    flat: list[str] = []
    for clause in (part.strip() for part in clauses):
        if clause.startswith("(") and clause.endswith(")"):
            flat.extend(_clauses(clause[1:-1]))
        elif clause:
            flat.append(clause)
    return flat


def _literal(value: str) -> str:
    if len(value) < 2 or not (value.startswith("'") and value.endswith("'")):
        raise Refusal(400, "ErrorInvalidUrlQueryFilter", f"A text in quotes was expected: {value}")
    return _unquote(value[1:-1])


def _unquote(value: str) -> str:
    return value.replace("''", "'")


def _seconds(value: str) -> float:
    try:
        return datetime.fromisoformat(value.strip("'")).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refusal(400, "ErrorInvalidUrlQueryFilter", f"Invalid date: {value}") from None
