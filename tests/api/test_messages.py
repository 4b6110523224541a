"""The why-ledger of the API: a campaign's mails, and one mail with every gate."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from mailbox.models import Replies
from outreach import policy
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Message,
    MessageKind,
    MessageState,
    ProjectAccess,
)
from tests import factories
from tests.api.keys import in_session, make_key, with_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(here: Workspace) -> Campaign:
    return factories.make_campaign(state=CampaignState.RUNNING)


def mail(campaign: Campaign, **values: object) -> Message:
    return factories.make_message(factories.make_enrollment(campaign, state="running"), **values)  # type: ignore[arg-type]


def test_it_lists_the_mails_of_a_campaign_and_why_they_wait(here: Workspace, running: Campaign) -> None:
    later = clock.now() + dt.timedelta(hours=2)
    held = mail(running, reason="window", not_before=later)
    stopped = mail(running, state=MessageState.SUPPRESSED, reason="opted_out")
    free = mail(running)
    client = with_key(make_key(here).secret)
    rows = client.get(f"/api/v1/campaigns/{running.pk}/messages").json()["results"]
    assert [row["id"] for row in rows] == [str(row.pk) for row in (free, stopped, held)]
    assert rows[2] == {
        "id": str(held.pk),
        "kind": "first",
        "step": 1,
        "contact": str(held.contact_id),
        "state": "planned",
        "code": "window",
        "gate": "G7",
        "sentence": "It is outside the hours of this campaign.",
        "next_try_at": later.isoformat().replace("+00:00", "Z"),
    }
    assert (rows[1]["code"], rows[1]["gate"], rows[1]["next_try_at"]) == ("opted_out", "G1", None)
    assert (rows[0]["code"], rows[0]["gate"]) == ("next", "")
    only = client.get(f"/api/v1/campaigns/{running.pk}/messages", {"state": "suppressed"}).json()["results"]
    assert [row["id"] for row in only] == [str(stopped.pk)]
    wrong = client.get(f"/api/v1/campaigns/{running.pk}/messages", {"state": "gone"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "state")


def test_it_goes_through_them_by_a_cursor(here: Workspace, running: Campaign) -> None:
    made = {str(mail(running).pk) for _ in range(5)}
    client = with_key(make_key(here).secret)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(f"/api/v1/campaigns/{running.pk}/messages", {"limit": "2", **cursor}).json()
        seen += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert set(seen) == made
    assert len(seen) == 5


def test_it_explains_one_mail_gate_by_gate(here: Workspace, running: Campaign) -> None:
    """Asked at this moment: what the row keeps is older."""
    row = mail(running, reason="window", not_before=clock.now())
    Workspace.objects.filter(pk=here.pk).update(postal_address="")
    answer = with_key(make_key(here).secret).get(f"/api/v1/messages/{row.pk}/why").json()
    assert (answer["message"]["code"], answer["message"]["gate"]) == ("no_postal_address", "G4")
    assert answer["message"]["id"] == str(row.pk)
    gates = [gate for gate in policy.GATES if MessageKind.FIRST in gate.kinds]
    assert [line["gate"] for line in answer["gates"]] == [gate.number for gate in gates]
    said = {line["gate"]: line["answer"] for line in answer["gates"]}
    assert (said["G4"], said["G1"], said["G5"], said["G6"]) == ("waits", "passes", "later", "warns")


def test_it_asks_no_gate_about_what_has_gone(here: Workspace, running: Campaign) -> None:
    row = mail(running, state=MessageState.SENT)
    answer = with_key(make_key(here).secret).get(f"/api/v1/messages/{row.pk}/why").json()
    assert answer["gates"] == []
    assert answer["message"]["sentence"] == "The provider accepted it."


def test_it_asks_as_much_for_fifty_as_for_five(here: Workspace, running: Campaign) -> None:
    client = with_key(make_key(here).secret)

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(f"/api/v1/campaigns/{running.pk}/messages")
        assert answer.status_code == 200
        return len(seen)

    for _ in range(5):
        mail(running)
    asked()
    few = asked()
    for _ in range(45):
        mail(running, reason="window")
    assert asked() == few


def test_it_shows_no_mail_that_the_caller_does_not_see(
    here: Workspace, theirs: Workspace, running: Campaign, member: User
) -> None:
    row = mail(running)
    stranger = with_key(make_key(theirs).secret)
    requests = factories.make_campaign(kind=CampaignKind.REMOVAL, state=CampaignState.RUNNING)
    Membership.objects.filter(user=member).update(all_projects=False)
    ProjectAccess.objects.create(membership=Membership.objects.get(user=member), project=requests.project)
    limited = in_session(member, here)
    for path in (f"campaigns/{running.pk}/messages", f"messages/{row.pk}/why"):
        assert stranger.get(f"/api/v1/{path}").status_code == 404
        assert limited.get(f"/api/v1/{path}", headers={"X-Workspace": here.sid}).status_code == 404
    own = with_key(make_key(here).secret)
    # A project's removal requests are no campaign of the API.
    assert own.get(f"/api/v1/campaigns/{requests.pk}/messages").status_code == 404


def test_it_explains_no_private_answer(here: Workspace, owner: User, running: Campaign) -> None:
    row = mail(running, state=MessageState.QUEUED)
    quiet = factories.make_mailbox(replies=Replies.PRIVATE, owner=owner)
    Message.objects.filter(pk=row.pk).update(kind=MessageKind.ANSWER, mailbox=quiet)
    assert with_key(make_key(here).secret).get(f"/api/v1/messages/{row.pk}/why").status_code == 404
    mine = in_session(owner, here).get(f"/api/v1/messages/{row.pk}/why", headers={"X-Workspace": here.sid})
    assert mine.status_code == 200


def test_it_needs_the_scope(here: Workspace, running: Campaign, theirs: Workspace) -> None:
    row = mail(running)
    client = with_key(make_key(here, ["contacts:write"]).secret)
    for path in (f"campaigns/{running.pk}/messages", f"messages/{row.pk}/why"):
        assert client.get(f"/api/v1/{path}").status_code == 403
    with workspace(theirs):
        assert not Message.objects.filter(pk=row.pk).exists()
