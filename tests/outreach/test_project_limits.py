"""A member who sees some projects sees nothing of the others, and no private reply of anybody else."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Count
from django.test import Client
from django.urls import reverse

from accounts import tenancy
from accounts.models import Membership, User, Workspace
from accounts.viewpoint import OtherProject, looking_as, whole_workspace
from mailbox.revocation import revoke
from outreach import suppression
from outreach.models import (
    Campaign,
    EnrollmentState,
    Message,
    MessageState,
    Project,
    ProjectAccess,
    Reply,
    Step,
    SuppressionReason,
    Thread,
)
from tests import factories
from tests.outreach.sides import Both, Side, both_sides

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def both(ws: Workspace, owner: User) -> Both:
    with tenancy.workspace(ws):
        return both_sides(owner)


def limit(user: User, ws: Workspace, *projects: Project) -> Membership:
    with tenancy.workspace(ws):
        Membership.objects.filter(user=user, workspace=ws).update(all_projects=False)
        membership = Membership.objects.get(user=user, workspace=ws)
        for project in projects:
            ProjectAccess.objects.create(membership=membership, project=project)
    return membership


@pytest.fixture
def limited(ws: Workspace, member: User, both: Both) -> Membership:
    """The member, who sees the heron's project alone."""
    return limit(member, ws, both.mine.project)


def pages(ws: Workspace, here: Side) -> list[str]:
    def at(name: str, pk: uuid.UUID) -> str:
        return reverse(f"outreach:{name}", kwargs={"slug": ws.slug, "pk": pk})

    return [
        at("project", here.project.pk),
        at("campaign", here.campaign.pk),
        at("campaign_people", here.campaign.pk),
        at("campaign_compose", here.campaign.pk),
        at("thread", here.thread.pk),
        at("reply_frame", here.reply.pk),
        at("removal", here.project.pk),
        at("case", here.case.pk),
    ]


LISTS = [
    "",
    "inbox/",
    "inbox/?show=all",
    "campaigns/",
    "projects/",
    "removals/",
    "mailboxes/",
    "campaigns/new/",
]


def test_it_opens_the_own_project_and_no_other(
    ws: Workspace, member: User, both: Both, limited: Membership, signed_in: SignedIn
) -> None:
    client = signed_in(member)
    assert {client.get(url).status_code for url in pages(ws, both.mine)} == {200}
    assert {client.get(url).status_code for url in pages(ws, both.other)} == {404}
    assert {signed_in(member).post(url).status_code for url in pages(ws, both.other)} <= {404, 405}


@pytest.mark.parametrize("path", LISTS)
def test_it_lists_nothing_of_other_projects(
    path: str, ws: Workspace, member: User, both: Both, limited: Membership, signed_in: SignedIn
) -> None:
    page = signed_in(member).get(f"/w/{ws.slug}/{path}")
    assert page.status_code == 200
    assert "osprey" not in page.text


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_it_never_limits_owners_and_admins(
    who: str, ws: Workspace, both: Both, signed_in: SignedIn, request: pytest.FixtureRequest
) -> None:
    user: User = request.getfixturevalue(who)
    limit(user, ws)
    client = signed_in(user)
    assert {client.get(url).status_code for url in pages(ws, both.other)} == {200}


def test_it_may_limit_viewers_too(ws: Workspace, viewer: User, both: Both, signed_in: SignedIn) -> None:
    limit(viewer, ws, both.mine.project)
    client = signed_in(viewer)
    assert client.get(pages(ws, both.other)[0]).status_code == 404
    assert client.get(pages(ws, both.mine)[0]).status_code == 200


def test_it_shows_nothing_to_whom_no_project_is_given(
    ws: Workspace, member: User, both: Both, signed_in: SignedIn
) -> None:
    limit(member, ws)
    page = signed_in(member).get(f"/w/{ws.slug}/projects/").text
    assert "heron" not in page
    assert "osprey" not in page


def test_it_counts_what_can_be_seen(
    ws: Workspace, owner: User, member: User, both: Both, limited: Membership, signed_in: SignedIn
) -> None:
    home = f"/w/{ws.slug}/"
    assert signed_in(owner).get(home).context["nav"]["inbox"] == 2
    page = signed_in(member).get(home)
    assert page.context["nav"]["inbox"] == 1
    assert page.context["reply_count"] == 1
    assert page.context["written"] == 1


def test_it_shows_a_person_with_the_visible_mail_alone(
    ws: Workspace, member: User, both: Both, limited: Membership, signed_in: SignedIn
) -> None:
    """Contacts are one book for all; what was written to them is the project's."""
    with tenancy.workspace(ws):
        contact = both.other.mail.contact
        assert contact is not None
    page = signed_in(member).get(reverse("outreach:contact", kwargs={"slug": ws.slug, "pk": contact.pk}))
    assert page.status_code == 200
    assert page.context["replies"] == 0
    assert list(page.context["page"]) == []
    assert "Campaign osprey" not in page.text


def test_it_moves_nothing_into_another_project(
    ws: Workspace, member: User, both: Both, limited: Membership, signed_in: SignedIn
) -> None:
    client = signed_in(member)
    fields = {"name": "Mine", "mailbox": str(both.mine.mailbox.pk)}
    address = f"/w/{ws.slug}/campaigns/new/"
    client.post(address, {**fields, "project": str(both.other.project.pk)})
    client.post(address, {**fields, "new_project": "A third"})
    with tenancy.workspace(ws):
        assert not Campaign.objects.filter(name="Mine").exists()
        assert Project.objects.count() == 2
    client.post(address, {**fields, "project": str(both.mine.project.pk)})
    with tenancy.workspace(ws):
        assert Campaign.objects.get(name="Mine").project == both.mine.project


@pytest.mark.parametrize("path", ["projects/new/", "removals/new/"])
def test_it_lets_only_those_who_see_all_make_a_project(
    path: str, ws: Workspace, member: User, both: Both, limited: Membership, signed_in: SignedIn
) -> None:
    answer = signed_in(member).post(f"/w/{ws.slug}/{path}", {"name": "A third", "website": "third.example"})
    assert "You see some of the projects here" in answer.text
    with tenancy.workspace(ws):
        assert Project.objects.count() == 2


def test_it_leaves_a_person_who_is_written_to_elsewhere(
    ws: Workspace, member: User, both: Both, limited: Membership, signed_in: SignedIn
) -> None:
    client = signed_in(member)
    for here, stays in ((both.other, True), (both.mine, False)):
        client.post(reverse("outreach:contact_delete", kwargs={"slug": ws.slug, "pk": here.mail.contact_id}))
        with tenancy.workspace(ws):
            assert Message.objects.filter(pk=here.mail.pk).exists() is stays


# --- the one door ---------------------------------------------------------------------------------------


@pytest.fixture
def looking(ws: Workspace, both: Both, limited: Membership) -> Any:
    with tenancy.workspace(ws), looking_as(limited):
        yield both


def test_it_narrows_every_kind_of_query(looking: Both) -> None:
    assert Campaign.objects.count() == 1
    assert list(Project.objects.values_list("name", flat=True)) == ["Project heron"]
    assert Step.objects.filter(pk__in=[row.pk for row in Step.objects.all()]).count() == 1
    assert Reply.objects.aggregate(n=Count("pk"))["n"] == 1
    assert not Thread.objects.filter(pk=looking.other.thread.pk).exists()
    assert Message.objects.select_for_update().count() == 1
    assert len(Reply.objects.select_for_update()) == 1
    assert Campaign.objects.in_bulk([looking.other.campaign.pk]) == {}


def test_it_narrows_updates_and_deletes(looking: Both) -> None:
    assert Message.objects.update(reason="x") == 1
    assert Reply.objects.update(label="question") == 1
    assert Reply.objects.all().delete()[0] == 1
    assert Step.objects.update(wait_days=9) == 1
    with whole_workspace("to look at the other side"):
        assert Reply.objects.get().pk == looking.other.reply.pk
        assert Message.objects.filter(reason="x").count() == 1


def test_it_refuses_to_write_elsewhere(looking: Both) -> None:
    with pytest.raises(OtherProject):
        Campaign.objects.create(project=looking.other.project, name="Smuggled")
    with pytest.raises(OtherProject):
        Step.objects.bulk_create([Step(campaign=looking.other.campaign, position=2, subject="", body="")])
    moved = Campaign.objects.get()
    moved.project = looking.other.project
    with pytest.raises(OtherProject):
        moved.save()
    with pytest.raises(OtherProject):
        Project.objects.create(name="New")


def test_it_is_closed_by_every_opening_of_a_workspace(ws: Workspace, looking: Both) -> None:
    """Tasks open the workspace themselves: they see it whole, also where they run inside a request."""
    with tenancy.workspace(ws):
        assert Campaign.objects.count() == 2
    assert Campaign.objects.count() == 1


def test_it_stops_what_concerns_everybody(looking: Both) -> None:
    """A stop is a stop in every project, whoever presses it."""
    with whole_workspace("to plan a mail over there"):
        waiting = factories.make_message(
            factories.make_enrollment(looking.other.campaign, state=EnrollmentState.RUNNING),
            state=MessageState.QUEUED,
        )
        address = waiting.to_address
    suppression.suppress(address, reason=SuppressionReason.BY_HAND)
    with whole_workspace("to look at the other side"):
        assert Message.objects.get(pk=waiting.pk).state == MessageState.SUPPRESSED


def test_it_bins_a_mailbox_in_every_project(looking: Both) -> None:
    with whole_workspace("to plan a mail over there"):
        waiting = factories.make_message(
            factories.make_enrollment(looking.other.campaign, state=EnrollmentState.RUNNING),
            state=MessageState.QUEUED,
        )
    revoke(looking.mine.mailbox, actor=None)
    with whole_workspace("to look at the other side"):
        assert Message.objects.get(pk=waiting.pk).state == MessageState.CANCELLED


def test_it_asks_why_the_whole_is_looked_at() -> None:
    with pytest.raises(ValueError, match="say why"), whole_workspace(""):
        pass
