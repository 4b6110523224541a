"""A layer above tracking for the tests: it tells about one mail, and writes down what comes up."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from accounts.models import Workspace
from accounts.tenancy import workspace
from tracking import recipient
from tracking.models import Event
from tracking.recipient import Act, RecipientFacts, Trace
from tracking.signals import tracked

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
# What a browser sends when a person follows a link from a mail.
BROWSER = {
    "User-Agent": FIREFOX,
    "Accept": "text/html",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


@dataclass
class Upper:
    """`key` is the one mail it knows."""

    ws: Workspace
    key: uuid.UUID
    facts: RecipientFacts | None
    seen: Trace | None = field(default_factory=lambda: Trace(sent_at=None, opens=True, clicks=True))
    acts: list[tuple[uuid.UUID, Act, str]] = field(default_factory=list)
    facts_that_came_up: list[dict[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def describe(self, key: uuid.UUID) -> RecipientFacts | None:
        return self.facts if key == self.key else None

    def trace(self, key: uuid.UUID) -> Trace | None:
        return self.seen if key == self.key else None

    def act(self, key: uuid.UUID, what: Act, note: str) -> None:
        if self.refuses:
            raise ConnectionError("the layer above could not act")
        self.acts.append((key, what, note))

    def say(self, **changes: Any) -> None:
        assert self.facts is not None
        self.facts = replace(self.facts, **changes)

    def erase(self) -> None:
        self.facts = self.seen = None

    def heard(self, **kwargs: Any) -> None:
        self.facts_that_came_up.append(kwargs)

    def events(self) -> list[tuple[str, str]]:
        with workspace(self.ws):
            return [(row.kind, row.source) for row in Event.objects.filter(key=self.key).order_by("pk")]


@pytest.fixture
def upper(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upper]:
    """The mail it knows is a removal request with two links, sent on two days."""
    facts = RecipientFacts(
        sender_name="Joren Vik",
        sender_address="joren@fernhill.example",
        workspace_name="Studio",
        postal_address="Studio, 14 Quay Lane, Harwick",
        recipient_address="webmaster@cheap-tents.example",
        why="They found this address on your imprint.",
        is_removal=True,
        links=("https://cheap-tents.example/a", "https://cheap-tents.example/b"),
        site="cheap-tents.example",
        target_site="fernhill.example",
        sent_at=(dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC), dt.datetime(2026, 11, 10, 9, tzinfo=dt.UTC)),
        answers=1,
        basis="Legitimate interest",
    )
    here = Upper(ws, uuid.uuid4(), facts)
    monkeypatch.setattr(recipient, "_registered", None)
    recipient.register(describe=here.describe, trace=here.trace, act=here.act)
    before = tracked.receivers
    tracked.receivers = []
    tracked.sender_receivers_cache.clear()
    tracked.connect(here.heard, weak=False)
    yield here
    tracked.receivers = before
    tracked.sender_receivers_cache.clear()
