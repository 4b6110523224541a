"""Campaigns through the API: made, written, filled, checked and stopped by the rules of their pages."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.keys import Scope
from accounts.models import AuditEvent, Workspace
from accounts.tenancy import workspace
from outreach.models import Campaign, CampaignState, Contact, Enrollment, Message, Project, Step
from tests import factories
from tests.api.keys import make_key, post, with_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(here: Workspace) -> Client:
    return with_key(make_key(here, [Scope.READ, Scope.CAMPAIGNS_WRITE, Scope.CAMPAIGNS_LAUNCH]).secret)


@pytest.fixture
def campaign(here: Workspace) -> Campaign:
    return Campaign.objects.get(name="Winter")


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    content = json.dumps({} if body is None else body)
    return client.generic(method, f"/api/v1/{path}", content, content_type="application/json")


def fields_of(answer: Any) -> list[str]:
    return [line["field"] for line in answer.json()["errors"]]


def test_it_makes_writes_fills_and_launches_a_campaign(client: Client, here: Workspace) -> None:
    """From nothing to queued mails, with the key of a machine."""
    mailbox = factories.make_mailbox(address="anna@fernhill.example")
    person = factories.make_contact("bo@moor.example", name="Bo Berg")
    draft = {
        "name": "Hut guides",
        "project": str(Project.objects.get().pk),
        "mailbox": str(mailbox.pk),
        "timezone": "Europe/Berlin",
        "weekdays": [0, 2],
        "window_start": "08:30",
        "window_end": "16:00",
        "tracks_clicks": False,
    }
    made = post(client, "campaigns", draft)
    assert made.status_code == 201
    assert draft.items() <= made.json().items()
    assert (made.json()["state"], made.json()["tracks_opens"]) == ("draft", None)
    one = f"campaigns/{made.json()['id']}"
    missing = client.get(f"/api/v1/{one}/readiness").json()
    assert {"nobody", "empty"} & {line["field"] for line in missing["problems"]}

    text = "<p>Hello {{ first_name }}, may I send you our list of huts?</p>"
    first = send(client, "PUT", f"{one}/steps/1", {"subject": "Huts", "body": text + "<script>x</script>"})
    assert first.json() == {"position": 1, "subject": "Huts", "body": text, "wait_days": 0}
    second = send(client, "PUT", f"{one}/steps/2", {"body": "<p>Did you see it?</p>", "wait_days": 3})
    assert second.json()["wait_days"] == 3
    assert [row["position"] for row in client.get(f"/api/v1/{one}/steps").json()] == [1, 2]

    nobody = str(uuid.uuid4())
    added = post(client, f"{one}/people", {"contacts": [str(person.pk), nobody]})
    assert added.json() == {"added": 1, "known": 0, "held_back": 0, "missing": [nobody]}
    assert post(client, f"{one}/people", {"contacts": [str(person.pk)]}).json()["known"] == 1
    ready = client.get(f"/api/v1/{one}/readiness").json()
    assert (ready["ready"], ready["held_back"], ready["problems"]) == (1, 0, [])
    launched = post(client, f"{one}/launch").json()
    assert (launched["queued"], launched["campaign"]["state"]) == (1, "running")
    assert Message.objects.get(campaign=made.json()["id"]).to_address == "bo@moor.example"
    people = client.get(f"/api/v1/{one}/people", {"state": "running"}).json()["results"]
    assert [(row["contact"], row["paused"]) for row in people] == [(str(person.pk), False)]


def test_it_makes_a_campaign_once(client: Client, campaign: Campaign) -> None:
    draft = {"name": "Twice", "project": str(campaign.project_id)}
    for _ in range(2):
        answer = client.post(
            "/api/v1/campaigns",
            json.dumps(draft),
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )
        assert answer.status_code == 201
    assert Campaign.objects.filter(name="Twice").count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"mailbox": "nothing"}, "mailbox"),
        ({"mailbox": "01a21580-9707-7114-b24a-6232a72339d5"}, "mailbox"),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": [7]}, "weekdays"),
        ({"weekdays": ["1"]}, "weekdays"),
        ({"weekdays": [True]}, "weekdays"),
        ({"window_start": "25:00"}, "window_start"),
        ({"window_end": 900}, "window_end"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"tracks_opens": "on"}, "tracks_opens"),
        ({"state": "running"}, "state"),
        ({"created_by": 1}, "created_by"),
    ],
)
def test_it_names_the_setting_that_does_not_fit(
    client: Client, campaign: Campaign, body: dict[str, Any], field: str
) -> None:
    before = Campaign.objects.filter(pk=campaign.pk).values().get()
    answer = send(client, "PATCH", f"campaigns/{campaign.pk}", body)
    assert answer.status_code == 400
    assert field in "".join(fields_of(answer))
    draft = {"name": "Other", "project": str(campaign.project_id), **body}
    assert post(client, "campaigns", draft).status_code == 400
    assert Campaign.objects.filter(pk=campaign.pk).values().get() == before
    assert Campaign.objects.count() == 1


def test_it_makes_no_campaign_in_a_project_of_others(
    client: Client, here: Workspace, theirs: Workspace
) -> None:
    with workspace(theirs):
        foreign = str(Project.objects.get().pk)
    answer = post(client, "campaigns", {"name": "Other", "project": foreign})
    assert (answer.status_code, fields_of(answer)) == (400, ["project"])
    assert Campaign.objects.count() == 1


def test_it_changes_only_what_is_named(client: Client, campaign: Campaign) -> None:
    before = Campaign.objects.filter(pk=campaign.pk).values().get()
    answer = send(client, "PATCH", f"campaigns/{campaign.pk}", {"weekdays": [5, 6], "mailbox": None})
    assert (answer.json()["weekdays"], answer.json()["mailbox"]) == ([5, 6], None)
    after = Campaign.objects.filter(pk=campaign.pk).values().get()
    assert {name for name, was in before.items() if dict(after)[name] != was} == {"weekdays", "mailbox_id"}
    assert AuditEvent.objects.get(action="campaign.changed").actor_kind == "key"


def test_it_keeps_the_mailbox_of_a_campaign_that_was_queued(client: Client, campaign: Campaign) -> None:
    post(client, f"campaigns/{campaign.pk}/launch")
    other = factories.make_mailbox(address="other@fernhill.example")
    answer = send(client, "PATCH", f"campaigns/{campaign.pk}", {"mailbox": str(other.pk)})
    assert (answer.status_code, answer.json()["code"]) == (409, "launched")
    same = {"mailbox": str(campaign.mailbox_id), "name": "Winter again"}
    assert send(client, "PATCH", f"campaigns/{campaign.pk}", same).json()["name"] == "Winter again"


def test_it_deletes_only_what_was_never_queued(client: Client, campaign: Campaign) -> None:
    post(client, f"campaigns/{campaign.pk}/launch")
    answer = client.delete(f"/api/v1/campaigns/{campaign.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "launched")
    draft = factories.make_campaign(name="Draft")
    assert client.delete(f"/api/v1/campaigns/{draft.pk}").status_code == 204
    assert [row.name for row in Campaign.objects.all()] == ["Winter"]


def test_it_pauses_resumes_and_ends(client: Client, campaign: Campaign) -> None:
    one = f"campaigns/{campaign.pk}"
    assert post(client, f"{one}/pause").status_code == 409  # A draft has nothing to pause.
    assert post(client, f"{one}/resume").status_code == 409
    post(client, f"{one}/launch")
    for act, state in (
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "running"),
        ("resume", "running"),
    ):
        assert post(client, f"{one}/{act}").json()["state"] == state
    ended = post(client, f"{one}/cancel").json()
    assert (ended["cancelled"], ended["campaign"]["state"]) == (1, "cancelled")
    assert post(client, f"{one}/cancel").json()["cancelled"] == 0
    assert post(client, f"{one}/resume").status_code == 409
    assert post(client, f"{one}/people", {"contacts": [str(Contact.objects.get().pk)]}).status_code == 409


@pytest.mark.parametrize(
    ("position", "body", "status"),
    [
        (1, {}, 400),
        (1, {"body": "x" * 50_001}, 400),
        (1, {"body": "x", "subject": "y" * 251}, 400),
        (2, {"body": "x", "wait_days": 0}, 400),
        (2, {"body": "x", "wait_days": "3"}, 400),
        (2, {"body": "x", "position": 1}, 400),
        (0, {"body": "x"}, 409),
        (99, {"body": "x"}, 409),
    ],
)
def test_it_refuses_a_step_that_does_not_fit(
    client: Client, campaign: Campaign, position: int, body: dict[str, Any], status: int
) -> None:
    before = list(Step.objects.values())
    answer = send(client, "PUT", f"campaigns/{campaign.pk}/steps/{position}", body)
    assert answer.status_code == status
    assert list(Step.objects.values()) == before


def test_it_changes_no_text_while_it_is_sent(client: Client, campaign: Campaign) -> None:
    one = f"campaigns/{campaign.pk}"
    post(client, f"{one}/launch")
    answer = send(client, "PUT", f"{one}/steps/1", {"subject": "Other", "body": "<p>Other</p>"})
    assert (answer.status_code, answer.json()["code"]) == (409, "state")
    post(client, f"{one}/pause")
    assert send(client, "PUT", f"{one}/steps/1", {"subject": "O", "body": "<p>O</p>"}).status_code == 200


def test_it_takes_out_the_last_step_alone(client: Client, campaign: Campaign) -> None:
    one = f"campaigns/{campaign.pk}/steps"
    for position in (2, 3):
        send(client, "PUT", f"{one}/{position}", {"body": "<p>More</p>"})
    assert client.delete(f"/api/v1/{one}/2").status_code == 409
    assert client.delete(f"/api/v1/{one}/3").status_code == 204
    assert client.delete(f"/api/v1/{one}/2").status_code == 204
    assert client.delete(f"/api/v1/{one}/1").status_code == 409
    for gone in (2, 0, 2**31, 10**30):
        assert client.get(f"/api/v1/{one}/{gone}").status_code == 404


def test_it_pauses_and_takes_out_one_person(client: Client, campaign: Campaign) -> None:
    post(client, f"campaigns/{campaign.pk}/launch")
    person = Enrollment.objects.get()
    one = f"campaigns/{campaign.pk}/people/{person.pk}"
    assert post(client, f"{one}/pause").json()["paused"] is True
    assert post(client, f"{one}/pause").json()["paused"] is True
    assert post(client, f"{one}/go-on").json()["paused"] is False
    nothing = post(client, f"{one}/skip")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_waits")
    assert client.delete(f"/api/v1/{one}").status_code == 204
    assert client.get(f"/api/v1/{one}").json()["state"] == "cancelled"
    assert client.delete(f"/api/v1/{one}").status_code == 204
    assert post(client, f"{one}/pause").status_code == 409
    assert not Message.objects.filter(state="planned").exists()


def test_it_leads_to_nobody_of_another_campaign(client: Client, campaign: Campaign) -> None:
    other = factories.make_enrollment(factories.make_campaign(name="Other"))
    assert client.get(f"/api/v1/campaigns/{campaign.pk}/people/{other.pk}").status_code == 404


def test_it_asks_for_the_scope_to_write(here: Workspace, campaign: Campaign) -> None:
    """A key that may queue writes nothing, and one that may write queues nothing."""
    one = f"campaigns/{campaign.pk}"
    launching = with_key(make_key(here, [Scope.READ, Scope.CAMPAIGNS_LAUNCH]).secret)
    assert send(launching, "PATCH", one, {"name": "Other"}).status_code == 403
    assert post(launching, f"{one}/people", {"contacts": []}).status_code == 403
    writing = with_key(make_key(here, [Scope.CAMPAIGNS_WRITE]).secret)
    assert post(writing, f"{one}/launch").status_code == 403
    assert writing.get(f"/api/v1/{one}").status_code == 403
    campaign.refresh_from_db()
    assert (campaign.name, campaign.state) == ("Winter", CampaignState.DRAFT)
