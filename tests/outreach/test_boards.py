"""A project's board: cards that facts move forward only, and people either way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, Membership, Role, User, Workspace
from mailbox.models import Mailbox, Replies
from outreach import campaigns, labels, stages
from outreach.models import (
    CampaignKind,
    Card,
    Enrollment,
    Label,
    Message,
    MessageState,
    Project,
    Reply,
    ReplyKind,
    Stage,
    StageMove,
)
from tests import factories

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def me(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str) -> str:
    return f"/w/{ws.slug}/{path}"


def enrolled(address: str = "ana@ridge.example", project: Project | None = None) -> Enrollment:
    campaign = factories.make_campaign(project=project or factories.make_project())
    return factories.make_enrollment(campaign, factories.make_contact(address))


def accepted(enrollment: Enrollment) -> Message:
    """The fact as the pipeline states it: a change of the row's state."""
    row = factories.make_message(enrollment, state=MessageState.SUBMITTING)
    Message.objects.filter(pk=row.pk).update(state=MessageState.SENT)
    row.refresh_from_db()
    return row


def card() -> Card:
    row: Card = Card.objects.get()
    return row


def causes() -> list[str]:
    return list(StageMove.objects.order_by("number").values_list("cause", flat=True))


# --- facts -----------------------------------------------------------------------------------------------


def test_a_site_has_one_card_whoever_is_written_to_there(in_ws: Workspace) -> None:
    project = factories.make_project()
    enrolled("ana@ridge.example", project)
    enrolled("bo@ridge.example", project)
    assert (card().title, card().stage, causes()) == ("ridge.example", "prospect", ["enrolled"])
    enrolled("ana.other@ridge.example")
    assert Card.objects.count() == 2, "another project is another chance"


def test_a_person_at_a_mail_host_for_everybody_stands_for_themselves(in_ws: Workspace) -> None:
    campaign = factories.make_campaign()
    people = [factories.make_contact(f"{name}@mail.example", site=None) for name in ("ana", "bo")]
    campaigns.add_contacts(campaign, people)
    assert {row.title for row in Card.objects.all()} == {"ana", "bo"}
    people[0].delete()
    assert card().contact == people[1]


def test_removal_work_makes_no_cards(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(kind=CampaignKind.REMOVAL)
    row = factories.make_enrollment(campaign, factories.make_contact())
    factories.make_reply(accepted(row))
    assert not Card.objects.exists()


def test_a_first_mail_and_a_reply_move_it(in_ws: Workspace) -> None:
    sent = accepted(enrolled())
    assert card().stage == "contacted"
    factories.make_reply(sent, kind=ReplyKind.AUTO_REPLY)
    assert card().stage == "contacted"
    factories.make_reply(sent)
    assert (card().stage, causes()) == ("replied", ["enrolled", "first_mail", "reply"])
    factories.make_reply(sent)
    assert len(causes()) == 3


@pytest.mark.parametrize("by_hand", [Stage.AGREED, Stage.WON, Stage.LOST])
def test_what_a_person_said_is_not_taken_back_by_a_fact(
    in_ws: Workspace, owner: User, by_hand: Stage
) -> None:
    row = enrolled()
    assert stages.move(card(), by_hand, seen="prospect", actor=owner)
    factories.make_reply(accepted(row))
    assert card().stage == by_hand


def test_a_later_fact_moves_a_card_on_that_a_person_moved_back(in_ws: Workspace, owner: User) -> None:
    sent = accepted(enrolled())
    stages.move(card(), Stage.PROSPECT, seen="contacted", actor=owner)
    factories.make_reply(sent)
    assert card().stage == "replied"


def test_a_label_moves_it_and_its_correction_moves_it_back(in_ws: Workspace, owner: User) -> None:
    reply = factories.make_reply(accepted(enrolled()))
    labels.set_label(reply, Label.PLACED, actor=owner)
    assert card().stage == "won"
    labels.set_label(reply, Label.DECLINED, actor=owner)
    assert card().stage == "lost"
    labels.set_label(reply, Label.QUESTION, actor=owner)
    assert (card().stage, causes()[-1]) == ("won", "label_back")


def test_a_label_taken_back_leaves_what_a_person_did_since(in_ws: Workspace, owner: User) -> None:
    reply = factories.make_reply(accepted(enrolled()))
    labels.set_label(reply, Label.DECLINED, actor=owner)
    stages.move(card(), Stage.AGREED, seen="lost", actor=owner)
    labels.set_label(reply, None, actor=owner)
    assert card().stage == "agreed"


def test_won_by_hand_is_not_lost_by_a_label(in_ws: Workspace, owner: User) -> None:
    reply = factories.make_reply(accepted(enrolled()))
    stages.move(card(), Stage.WON, seen="replied", actor=owner)
    labels.set_label(reply, Label.DECLINED, actor=owner)
    assert card().stage == "won"


def test_what_a_private_reply_says_does_not_show_on_the_board(in_ws: Workspace, owner: User) -> None:
    reply: Reply = factories.make_reply(accepted(enrolled()))
    Mailbox.objects.update(replies=Replies.PRIVATE)
    labels.set_label(reply, Label.DECLINED, actor=owner)
    assert card().stage == "replied"


# --- a person --------------------------------------------------------------------------------------------


def test_a_move_says_so_in_the_log_and_the_history_and_undo_takes_it_back(
    me: Client, in_ws: Workspace, member: User
) -> None:
    enrolled()
    row = card()
    page = me.post(
        url(in_ws, f"cards/{row.pk}/move/"), {"to": "agreed", "seen": "prospect"}, follow=True
    ).content.decode()
    assert "ridge.example is in Agreed" in page
    undo = f"cards/{row.pk}/move/?to=prospect&seen=agreed"
    assert undo.replace("&", "&amp;") in page or undo in page
    assert AuditEvent.objects.filter(action="card.moved").count() == 1
    shown = me.get(url(in_ws, f"cards/{row.pk}/")).content.decode()
    assert f"by {member.short_name}" in " ".join(shown.split())
    me.post(url(in_ws, undo))
    assert (card().stage, StageMove.objects.count()) == ("prospect", 3)


def test_it_says_that_somebody_was_there_before(me: Client, in_ws: Workspace, owner: User) -> None:
    enrolled()
    row = card()
    stages.move(row, Stage.WON, seen="prospect", actor=owner)
    for scripts in (None, {"HX-Request": "true"}):
        answer = me.post(
            url(in_ws, f"cards/{row.pk}/move/"),
            {"to": "lost", "seen": "prospect"},
            follow=True,
            headers=scripts,
        )
        assert "was moved meanwhile and is in Won now" in answer.content.decode()
    assert card().stage == "won"
    assert me.post(url(in_ws, f"cards/{row.pk}/move/"), {"to": "x", "seen": "won"}).status_code == 404


def test_it_is_given_to_who_may_work_there_alone(me: Client, in_ws: Workspace, member: User) -> None:
    enrolled()
    row = card()
    mine = Membership.objects.get(user=member, workspace=in_ws)
    at = url(in_ws, f"cards/{row.pk}/assign/")
    assert "is yours now" in me.post(at, {"to": str(mine.pk)}, follow=True).content.decode()
    board = url(in_ws, f"projects/{row.project_id}/board/")
    assert "ridge.example" in me.get(f"{board}?assignee={mine.pk}").content.decode()
    Membership.objects.exclude(pk=mine.pk).filter(workspace=in_ws).update(role=Role.VIEWER)
    for other in Membership.objects.exclude(pk=mine.pk):
        assert me.post(at, {"to": str(other.pk)}).status_code == 404
    me.post(at, {"to": ""}, follow=True)
    assert "ridge.example" not in me.get(f"{board}?assignee={mine.pk}").content.decode()


# --- the page --------------------------------------------------------------------------------------------


def test_a_column_is_bounded_and_shows_the_rest_once(me: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign()
    count = stages.PER_COLUMN + 5
    campaigns.add_contacts(campaign, [factories.make_contact(f"p@s{n}.example") for n in range(count)])
    board = url(in_ws, f"projects/{campaign.project_id}/board/")
    page = me.get(board).content.decode()
    assert page.count('class="bcard"') == stages.PER_COLUMN
    assert f"Prospect, {count}" in page
    column = stages.board(campaign.project)[0]
    more = me.get(f"{board}more/", {"stage": "prospect", "after": column.after}).content.decode()
    assert more.count('class="bcard"') == 5
    first = {str(item.card.pk) for item in column.cards}
    assert not any(f'data-card="{pk}"' in more for pk in first)
    for wrong in ("", "nonsense", "2026-01-01T00:00:00~x", f"2026-01-01T00:00:00~{card_id()}"):
        assert me.get(f"{board}more/", {"stage": "prospect", "after": wrong}).status_code == 404


def card_id() -> object:
    return Card.objects.order_by("pk")[0].pk


def test_its_queries_do_not_follow_the_cards(me: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign()
    board = url(in_ws, f"projects/{campaign.project_id}/board/")
    me.get(board)
    counts = []
    for number in (1, 8):
        people = [factories.make_contact(f"q@t{number}-{n}.example") for n in range(number)]
        campaigns.add_contacts(campaign, people)
        with CaptureQueriesContext(connection) as seen:
            assert me.get(board).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
