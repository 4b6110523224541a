"""Every address of the product, read from the URL configuration: none can be forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from accounts.models import Role

INSIDE = "w/<slug:slug>/"


@dataclass(frozen=True)
class Address:
    """One URL pattern: `arguments` are its names and converters, without the workspace's slug."""

    name: str
    route: str
    arguments: dict[str, str]
    view: Callable[..., HttpResponseBase]

    @property
    def is_inside(self) -> bool:
        return self.route.startswith("w/")

    @property
    def is_api(self) -> bool:
        """An operation of the API: whom it answers is held in tests/api."""
        return self.route.startswith(("api/v1/", "^api/v1/"))

    @property
    def takes_rows(self) -> bool:
        return "UUIDConverter" in self.arguments.values() or "sid" in self.arguments

    @property
    def least_role(self) -> Role | None:
        return getattr(self.view, "least_role", None)


def every_address(patterns: Iterable[Any] | None = None) -> list[Address]:
    return list(_walk(get_resolver().url_patterns if patterns is None else patterns, "", "", {}))


def inside(addresses: Iterable[Address]) -> list[Address]:
    """Those of a workspace, below /w/<slug>/."""
    return [address for address in addresses if address.is_inside]


def _walk(patterns: Iterable[Any], before: str, namespace: str, above: dict[str, str]) -> Iterator[Address]:
    for found in patterns:
        route = before + str(found.pattern)
        arguments = above | (
            {name: type(kind).__name__ for name, kind in found.pattern.converters.items()}
            if isinstance(found.pattern, RoutePattern)
            else dict.fromkeys(re.findall(r"\?P<(\w+)>", str(found.pattern)), "regex")
        )
        if isinstance(found, URLResolver):
            inner = f"{namespace}{found.namespace}:" if found.namespace else namespace
            yield from _walk(found.url_patterns, route, inner, arguments)
        elif isinstance(found, URLPattern):
            arguments.pop("slug", None)
            yield Address(f"{namespace}{found.name or ''}", route, arguments, found.callback)


_methods: dict[Callable[..., Any], frozenset[str]] = {}


def methods(client: Client, url: str, address: Address) -> frozenset[str]:
    """What the view accepts, in its own words; the client must be one who may."""
    if address.view not in _methods:
        answer = client.generic("PROPFIND", url)
        named = answer.headers.get("Allow", "") if answer.status_code == 405 else "GET, POST"
        wanted = {"GET", "POST", "PUT", "PATCH", "DELETE"}
        _methods[address.view] = frozenset(name.strip() for name in named.split(",")) & wanted
    return _methods[address.view]
