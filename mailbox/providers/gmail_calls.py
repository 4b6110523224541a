"""Gmail's calls: google-api-python-client over our own transport."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from mailbox.errors import Retry, Uncertain
from mailbox.providers import gmail_errors
from mailbox.providers.base import Gone
from mailbox.providers.refusals import refuse
from mailbox.providers.retry_after import provider_time
from mailbox.providers.transport import Line, LineHttp


@dataclass(frozen=True)
class Api:
    """The library's resources. Making one takes longer than using it."""

    users: Any
    drafts: Any
    messages: Any
    threads: Any
    history: Any


@functools.lru_cache(maxsize=4)
def api_at(base: str) -> Api:
    """For one address, without a transport: each call brings its own."""
    users = build(
        "gmail",
        "v1",
        http=_NoHttp(),
        static_discovery=True,
        cache_discovery=False,
        client_options={"api_endpoint": base},
    ).users()
    return Api(users, users.drafts(), users.messages(), users.threads(), users.history())


class _NoHttp:
    def request(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("a Gmail call was made outside of its line")

    def close(self) -> None:
        """Nothing is open."""


class Calls:
    """What every verb goes through."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._api = api_at(settings.GMAIL_API_BASE)

    def _metadata(self, provider_id: str, names: list[str]) -> dict[str, Any]:
        request = self._api.messages.get(
            userId="me", id=provider_id, format="metadata", metadataHeaders=names
        )
        return self._run(request)

    def _each(self, short: Iterable[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
        """Headers of each; one that is gone by now is left out."""
        found = []
        for one in short:
            try:
                found.append(self._metadata(one["id"], names))
            except Gone:
                continue
        return found

    def _run(self, request: Any, *, once: bool = False, not_after: float | None = None) -> dict[str, Any]:
        http = LineHttp(self._line, once=once, not_after=not_after)
        try:
            answer = request.execute(http=http, num_retries=0)
        except HttpError as problem:
            said = gmail_errors.problem_of(problem.resp.status, self._line.last_headers, problem.content)
            refuse(said, gmail_errors.RULES, once=once)
        except ValueError as unreadable:
            raise (Uncertain if once else Retry)("unreadable_answer", "not JSON") from unreadable
        return cast(dict[str, Any], answer) if isinstance(answer, dict) else {}

    def _now(self) -> int:
        return int(provider_time(self._line.last_headers).timestamp())
