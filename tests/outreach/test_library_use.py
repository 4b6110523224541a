"""What the editor gets from the library, and what it keeps there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User, Workspace
from outreach.models import SavedText
from tests import factories

SignedIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/library/{path}"


def test_it_offers_texts_by_folder_and_examples_behind_them(client: Client, in_ws: Workspace) -> None:
    factories.make_text("A note", folder="Huts", subject="On {{ site }}")
    factories.make_text("A piece", is_snippet=True)
    page = client.get(url(in_ws, "pick/"), headers=HTMX).content.decode()
    assert page.index("A note") < page.index("A link that leads nowhere")
    assert "On Site" in page
    assert "A piece" not in page
    assert page.count('role="option"') == 13
    found = client.get(url(in_ws, "pick/"), {"list": "", "q": "NOTE"}).content.decode()
    assert "<dialog" not in found
    assert found.count('role="option"') == 1
    assert "Nothing has this in its name" in client.get(url(in_ws, "pick/"), {"q": "zzz"}).content.decode()
    pieces = client.get(url(in_ws, "pick/"), {"kind": "snippet"}).content.decode()
    assert re.findall(r'role="option".*?<b>(.*?)</b>', pieces) == ["A piece"]


def test_it_says_that_there_are_more(client: Client, in_ws: Workspace) -> None:
    for number in range(51):
        factories.make_text(f"Text {number:02}")
    page = client.get(url(in_ws, "pick/")).content.decode()
    assert "Text 49" in page
    assert "Text 50" not in page
    assert "There are more. Type a part of the name." in page
    assert "Text 50" in client.get(url(in_ws, "pick/"), {"q": "text 50"}).content.decode()


def test_it_gives_the_words_in_the_form_of_the_step(client: Client, in_ws: Workspace) -> None:
    hello = '<p>Hello {{ first_name | default: "there" }},</p>'
    body = f'{hello}<p>see <a href="https://a.example/">this</a> &amp; go.</p>'
    row = factories.make_text("A note", subject="On {{ site }}", body=body)
    rich = client.get(url(in_ws, f"{row.pk}/words/")).json()
    assert rich == {"name": "A note", "subject": "On {{ site }}", "body": body}
    plain = client.get(url(in_ws, f"{row.pk}/words/?plain")).json()["body"]
    assert plain == 'Hello {{ first_name | default: "there" }},\n\nsee this (https://a.example/) & go.'


def test_it_keeps_the_text_of_a_step_from_its_editor(client: Client, in_ws: Workspace) -> None:
    page = client.get(url(in_ws, "new/"), headers=HTMX).content.decode()
    assert page.startswith("<dialog")
    assert '<option value="other" selected>' in page
    given = {"name": "", "use": "other", "subject": "On {{ site }}", "body": "<p>Kept words</p>"}
    wrong = client.post(url(in_ws, "new/"), given, headers=HTMX)
    assert wrong.status_code == 422
    assert "&lt;p&gt;Kept words&lt;/p&gt;" in wrong.content.decode()
    assert "On {{ site }}" in wrong.content.decode()
    assert "<dialog" not in wrong.content.decode()
    done = client.post(url(in_ws, "new/"), {**given, "name": "Kept"}, headers=HTMX)
    row = SavedText.objects.get()
    toast = json.loads(done["HX-Trigger"])["toast"]
    assert (done.status_code, toast) == (
        204,
        {"text": "“Kept” is in the library", "url": url(in_ws, f"{row.pk}/")},
    )
    empty = client.post(url(in_ws, "new/"), {**given, "name": "Two", "body": ""}, headers=HTMX)
    assert "There is no text yet." in empty.content.decode()


def test_it_keeps_plain_text_too_and_gives_it_back(client: Client, in_ws: Workspace) -> None:
    text = 'Hello {{ first_name | default: "there" }},\n\none < two\nthree'
    given = {"name": "Plain", "use": "other", "body": text.replace("\n", "\r\n"), "plain": "on"}
    assert client.post(url(in_ws, "new/"), given, headers=HTMX).status_code == 204
    row = SavedText.objects.get()
    assert row.body.replace("&quot;", '"') == (
        '<p>Hello {{ first_name | default: "there" }},</p><p>one &lt; two<br>three</p>'
    )
    assert client.get(url(in_ws, f"{row.pk}/words/?plain")).json()["body"] == text


def test_the_composer_offers_the_library_to_who_may_write(
    client: Client, in_ws: Workspace, viewer: User, signed_in: SignedIn
) -> None:
    campaign = factories.make_campaign(text_only=True)
    path = f"/w/{in_ws.slug}/campaigns/{campaign.pk}/compose/"
    page = client.get(path).content.decode()
    assert f'hx-get="{url(in_ws, "pick/")}?kind=text&amp;plain"' in page
    assert "data-library" not in signed_in(viewer).get(path).content.decode()


def test_a_viewer_may_read_and_a_stranger_may_not(
    client: Client, in_ws: Workspace, viewer: User, stranger: User, signed_in: SignedIn
) -> None:
    row = factories.make_text("Ours alone")
    there = Membership.objects.get(user=stranger).workspace
    assert signed_in(viewer).get(url(in_ws, f"{row.pk}/words/")).status_code == 200
    assert signed_in(stranger).get(url(in_ws, f"{row.pk}/words/")).status_code == 404
    assert signed_in(stranger).get(url(there, f"{row.pk}/words/")).status_code == 404
    assert "Ours alone" not in signed_in(stranger).get(url(there, "pick/")).content.decode()


def test_a_name_is_shown_and_never_run(client: Client, in_ws: Workspace) -> None:
    row = factories.make_text('"><script>alert(1)</script>', folder="<script>alert(2)", subject="<script>")
    for path in ("pick/", "pick/?list"):
        assert "<script>" not in client.get(url(in_ws, path)).content.decode().split("<dialog")[-1], path
    assert client.get(url(in_ws, f"{row.pk}/words/"))["Content-Type"] == "application/json"


def test_it_asks_the_same_few_queries_for_many_texts(client: Client, in_ws: Workspace) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url(in_ws, "pick/")).status_code == 200
        return len(asked)

    factories.make_text("One", folder="A")
    queries()
    few = queries()
    for number in range(40):
        factories.make_text(f"More {number}", folder=f"F{number}", subject=f"S {number}")
    assert queries() == few


def test_it_gives_the_words_of_an_example(client: Client, in_ws: Workspace) -> None:
    assert client.get(url(in_ws, "examples/nobody/words/")).status_code == 404
    words = client.get(url(in_ws, "examples/guest-offer/words/?plain")).json()
    assert words["name"] == "An article for your site"
    assert words["body"].startswith('Hello {{ first_name | default: "there" }},\n')
