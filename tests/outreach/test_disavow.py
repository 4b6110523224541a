"""The disavow file: Google's format and limits, the history as comments, and nobody's address in it."""

from __future__ import annotations

import pytest

from accounts import clock
from accounts.models import Workspace
from outreach.links import cases, disavow
from outreach.models import Backlink, Label, LinkState, Message, Project, RemovalCase, Verdict
from tests import factories
from tests.outreach.removal_cast import make_asked, make_list


@pytest.fixture
def project(in_ws: Workspace) -> Project:
    factories.make_mailbox()
    return factories.make_project("Clean-up\n2026", website="fernhill.example")


def text(project: Project) -> str:
    return disavow.text_of(disavow.build(project, now=clock.now()))


def test_it_tells_what_was_tried_without_naming_anybody(project: Project) -> None:
    silent, answered, bounced, unasked = make_list(project, sites=4)
    make_asked(silent)
    factories.make_reply(make_asked(answered), label=Label.ASKS_PAYMENT)
    mail = make_asked(bounced)
    Message.objects.filter(pk=mail.pk).update(bounced_at=clock.now(), bounce_kind="hard")
    for case in (silent, answered, bounced, unasked):
        cases.set_verdict(case, Verdict.DISAVOW, actor=None)
    found = text(project)
    assert "site000.example: asked" in found
    assert "no answer" in found
    assert "asks for payment" in found
    assert "bounced, no other contact" in found
    assert "site003.example: not asked, no contact is known" in found
    assert "@" not in found
    assert "Webmaster" not in found
    assert found.isascii()
    assert [line for line in found.splitlines() if line and not line.startswith("#")] == [
        f"domain:site00{number}.example" for number in range(4)
    ]
    assert "# Disavow file of Clean-up 2026, for fernhill.example" in found


def test_it_lists_pages_alone_where_a_person_chose_so(project: Project) -> None:
    case = make_list(project, sites=1, pages=3)[0]
    cases.set_verdict(case, Verdict.DISAVOW, actor=None)
    cases.set_scope(case, whole_domain=False, actor=None)
    link = Backlink.objects.get(source_url__endswith="/0")
    cases.set_link_state(case, LinkState.GONE, link=link, actor=None)
    found = disavow.build(project, now=clock.now())
    assert (found.domains, found.urls) == (0, 2)
    assert "https://site000.example/page/1\nhttps://site000.example/page/2\n" in disavow.text_of(found)


def test_it_leaves_out_sites_whose_links_have_all_gone(project: Project) -> None:
    case = make_list(project, sites=1)[0]
    cases.set_verdict(case, Verdict.DISAVOW, actor=None)
    cases.set_link_state(case, LinkState.PAGE_GONE, actor=None)
    assert disavow.build(project, now=clock.now()).entries == []


def test_it_drops_the_history_before_it_passes_googles_limits() -> None:
    long = [disavow.Entry(f"s{n}.example", ["x" * 60], [f"domain:s{n}.example"]) for n in range(40_000)]
    found = disavow.text_of(disavow.Disavow(long, ["head"]))
    assert len(found.encode()) <= disavow.MOST_BYTES
    assert "Without the contact history" in found
    assert found.count("domain:") == 40_000
    with pytest.raises(disavow.TooLarge):
        disavow.text_of(disavow.Disavow(long * 3, ["head"]))


def test_it_writes_no_line_that_google_would_misread(project: Project) -> None:
    case = make_list(project, sites=1, pages=1)[0]
    cases.set_verdict(case, Verdict.DISAVOW, actor=None)
    RemovalCase.objects.update(whole_domain=False)
    Backlink.objects.update(source_url="https://site000.example/" + "a" * 2100)
    assert disavow.build(project, now=clock.now()).entries == []
