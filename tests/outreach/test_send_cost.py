"""What one mail costs the database: so many statements, however many others wait or have left."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outreach.models import Message, MessageState
from outreach.pipeline.send import Sent
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

# docs/operating.md says so; the calls to the provider apart, each of which is preceded by one look.
MOST = 15


def statements(row: Message) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert send_now(row) is Sent.ACCEPTED
    return sum(not query["sql"].startswith(("BEGIN", "COMMIT")) for query in asked.captured_queries)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_costs_the_same_with_few_and_with_many_mails(
    queue: Queue, providers: Running, provider: str
) -> None:
    rows = queue(provider, *[f"p{number}.silent@site{number}.example" for number in range(12)])
    send_now(rows[0])  # the first one fetches the token, and makes the account's row
    few = statements(rows[1])
    for row in rows[2:10]:
        send_now(row)
    assert statements(rows[10]) == few
    assert few <= MOST
    assert Message.objects.filter(state=MessageState.SENT).count() == 11
