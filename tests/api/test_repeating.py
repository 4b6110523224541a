"""A request that is sent twice is done once: `Idempotency-Key`."""

from __future__ import annotations

import datetime as dt
import json
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts import clock
from accounts.apikeys.log import forget_old
from accounts.models import ApiAnswer, Workspace
from accounts.tenancy import workspace
from outreach.models import Campaign, CampaignState, Contact, Message
from tests import factories
from tests.api.keys import make_key, with_key
from tests.roles import as_owner

pytestmark = pytest.mark.django_db
BO = {"address": "bo@moor.example", "name": "Bo Berg"}


def send(client: Client, path: str, body: Any, key: str) -> Any:
    return client.post(
        f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers={"Idempotency-Key": key}
    )


def test_it_answers_a_repetition_as_before_and_does_nothing(here: Workspace) -> None:
    client = with_key(make_key(here).secret)
    first = send(client, "contacts", BO, "bo-1")
    # In another order, and quoted as the standard writes it: the same request under the same key.
    again = send(client, "contacts", dict(reversed(BO.items())), '"bo-1"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (first.headers.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Contact.objects.filter(company="", site__domain="moor.example").count() == 1
    # Without a key the address is simply known.
    assert client.post("/api/v1/contacts", BO, content_type="application/json").status_code == 409


def test_it_queues_a_campaign_once_and_says_so_again(here: Workspace) -> None:
    """The second answer without a key would say that nothing was queued."""
    campaign = Campaign.objects.get()
    factories.make_enrollment(campaign)
    client = with_key(make_key(here).secret)
    path = f"campaigns/{campaign.pk}/launch"
    answers = [send(client, path, {}, "launch").json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["queued"] == Message.objects.filter(campaign=campaign).count() > 0
    assert send(client, path, {}, "other").json()["queued"] == 0


def test_it_keeps_no_answer_that_says_no(here: Workspace) -> None:
    client = with_key(make_key(here).secret)
    assert send(client, "contacts", {"address": "no address"}, "mended").status_code == 400
    assert send(client, "contacts", {"address": "ana@ridgewalkers.example"}, "mended").status_code == 409
    assert not ApiAnswer.objects.exists()
    assert send(client, "contacts", BO, "mended").status_code == 201


def test_it_refuses_a_key_that_named_another_request(here: Workspace) -> None:
    client = with_key(make_key(here).secret)
    send(client, "contacts", BO, "one")
    other = send(client, "contacts", {**BO, "address": "li@moor.example"}, "one")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    campaign = Campaign.objects.get()
    assert send(client, f"campaigns/{campaign.pk}/launch", BO, "one").status_code in (400, 422)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.DRAFT
    assert Contact.objects.count() == 2


def test_it_tells_credentials_and_workspaces_apart(here: Workspace, theirs: Workspace) -> None:
    one, two = (with_key(make_key(here).secret) for _ in range(2))
    assert send(one, "contacts", BO, "same").status_code == 201
    assert send(two, "contacts", BO, "same").status_code == 409
    assert send(with_key(make_key(theirs).secret), "contacts", BO, "same").status_code == 201


@pytest.mark.parametrize("key", ["x" * 201, "two words", "ä", '"', "a\x7f", "", '"half', 'half"'])
def test_it_names_a_key_that_is_none(key: str, here: Workspace) -> None:
    answer = send(with_key(make_key(here).secret), "contacts", BO, key)
    assert answer.status_code == 400
    assert [line["field"] for line in answer.json()["errors"]] == ["Idempotency-Key"]
    assert not Contact.objects.filter(site__domain="moor.example").exists()


def test_it_stores_neither_key_nor_content_in_the_clear(here: Workspace) -> None:
    send(with_key(make_key(here).secret), "contacts", BO, "bo@moor.example")
    with as_owner(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_apianswer")
        (row,) = cursor.fetchall()
    assert not any(b"moor" in bytes(cell) for cell in row if isinstance(cell, memoryview))


def test_it_forgets_after_a_day(here: Workspace) -> None:
    client = with_key(make_key(here).secret)
    send(client, "contacts", BO, "old")
    with workspace(here):
        assert (forget_old(), ApiAnswer.objects.count()) == (0, 1)
        clock.advance(dt.timedelta(hours=25))
        assert (forget_old(), ApiAnswer.objects.count()) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_it_lets_the_second_of_two_at_once_wait_for_the_first(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would find no answer yet; the second must get the first's and not "is in the list already"."""
    from outreach import contacts as people

    secret = make_key(here).secret
    inside, go_on, save = threading.Event(), threading.Event(), people.save_contact

    def slow(**values: Any) -> Contact:
        inside.set()
        go_on.wait(10)
        return save(**values)

    monkeypatch.setattr(people, "save_contact", slow)
    answers: list[Any] = []

    def run() -> None:
        answers.append(send(with_key(secret), "contacts", BO, "twice"))
        connections.close_all()

    first, second = threading.Thread(target=run), threading.Thread(target=run)
    first.start()
    assert inside.wait(10)
    inside.clear()
    second.start()
    # It stands before the first one's row, and has not begun.
    assert not inside.wait(0.5)
    go_on.set()
    for thread in (first, second):
        thread.join(20)
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == ["", "true"]
