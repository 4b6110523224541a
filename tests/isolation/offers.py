"""A page offers nothing that it would refuse: its forms and links are held against the declared rules."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.urls import Resolver404, resolve

from accounts.models import Role
from tests.isolation.expected import FOR_EVERYBODY, INSIDE

_FORM = re.compile(r"<form\b[^>]*>", re.IGNORECASE)
_BUTTON = re.compile(r"<(?:button|input)\b[^>]*\bformaction=\"[^\"]*\"[^>]*>", re.IGNORECASE)
_LINK = re.compile(r"<a\b[^>]*\bhref=\"([^\"]+)\"", re.IGNORECASE)
_HTMX = re.compile(r"\bhx-(get|post|put|patch|delete)=\"([^\"]+)\"", re.IGNORECASE)


def offers(answer: HttpResponse, own: str) -> set[tuple[str, str]]:
    """(method, path) of everything on a page that a person may press; `own` is the page's own path."""
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return set()
    text = answer.content.decode()
    found = {("GET", link) for link in _LINK.findall(text)}
    found |= {(method.upper(), path) for method, path in _HTMX.findall(text)}
    for tag in _FORM.findall(text):
        method = (_attribute(tag, "method") or "get").upper()
        found.add((method, _attribute(tag, "action") or own))
    found |= {("POST", _attribute(tag, "formaction")) for tag in _BUTTON.findall(text)}
    return {(method, urlsplit(path).path) for method, path in found}


def refused_offers(answer: HttpResponse, url: str, role: Role | None, own: set[str]) -> list[str]:
    """What this role is shown and would not be let do. `own` are ids of rows that are the visitor's."""
    wrong = []
    for method, path in sorted(offers(answer, url)):
        try:
            found = resolve(path)
        except Resolver404:
            continue
        name = found.view_name
        rule = None if name in FOR_EVERYBODY else INSIDE.get(name)
        least = rule.least.get(method) if rule else None
        if rule and rule.own and str(found.kwargs.get("pk")) in own:
            least = rule.own
        if least is not None and (role is None or role.rank < least.rank):
            wrong.append(f"offers {method} {name}, which needs {least.value}")
    return wrong


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"\b{name}=\"([^\"]*)\"", tag)
    return found[1] if found else ""
