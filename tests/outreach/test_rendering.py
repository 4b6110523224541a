"""Filling in a text for one person: exact, escaped, and never without its footer."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import Workspace
from mailbox.models import Mailbox
from outreach import rendering, templating
from outreach.models import Basis, Campaign, Message, Step
from outreach.rendering import Rendered, check_template, render_step, sanitise
from tests.factories import make_campaign, make_contact, make_mailbox, make_message
from tracking.tokens import read_opt_out

KNOWN = {"first_name", "page_title", "links", "site"}


def rendered(
    body: str, *, subject: str = "Your hut table", text_only: bool = False, step: int = 1, **contact: object
) -> Rendered:
    campaign = make_campaign(steps=[(subject, body), ("", body)], text_only=text_only)
    row = campaign.steps.get(position=step)
    someone = make_contact(**contact)  # type: ignore[arg-type]
    mailbox = campaign.mailbox
    assert mailbox is not None
    return render_step(row, someone, mailbox=mailbox, campaign=campaign, key=uuid.uuid4())


def test_it_fills_fields_in_and_takes_the_fallback_for_blanks(in_ws: Workspace) -> None:
    mail = rendered(
        '<p>Hello {{ first_name | default: "there" }}, {{ page_title }}</p>', fields={"page_title": "Huts"}
    )
    assert "Hello there, Huts" in mail.text
    assert mail.blanks == []


def test_it_names_the_fields_that_come_out_blank(in_ws: Workspace) -> None:
    mail = rendered(
        "<p>{{ first_name }} {{ page_title }}</p>", subject="{{ company }}", fields={"page_title": " "}
    )
    assert mail.blanks == ["company", "first_name", "page_title"]


def test_it_reads_fields_that_an_editor_wrote_with_entities(in_ws: Workspace) -> None:
    mail = rendered("<p>Hello {{&nbsp;first_name | default: &quot;there&quot; }}</p>")
    assert "Hello there" in mail.text


def test_it_escapes_values_in_html_and_leaves_them_raw_in_text(in_ws: Workspace) -> None:
    mail = rendered("<p>{{ name }}</p>", name="<b>Ana</b> & <script>alert(1)</script>")
    assert mail.html is not None
    assert "&lt;script&gt;" in mail.html
    assert "<script" not in mail.html
    plain = rendered("{{ name }}", text_only=True, name="A <b> & Co", country="")
    assert "A <b> & Co" in plain.text
    assert plain.html is None


def test_it_never_lets_a_value_become_a_dangerous_link(in_ws: Workspace) -> None:
    mail = rendered('<p><a href="{{ page }}">x</a></p>', fields={"page": "javascript:alert(1)"})
    assert mail.html is not None
    assert "javascript:" not in mail.html


@pytest.mark.parametrize("evil", ["Ana\r\nBcc: x@y.example", "Ana\nBcc: x", "Ana\x00\x0bBcc", "Ana\u2028Bcc"])
def test_it_keeps_line_breaks_out_of_the_subject(in_ws: Workspace, evil: str) -> None:
    mail = rendered("<p>x</p>", subject=f"Hi {{{{ name }}}} {evil}", name=evil, first_name="Ana")
    assert not any(ord(letter) < 32 or letter == "\u2028" for letter in mail.subject)


def test_it_gives_a_follow_up_the_first_subject(in_ws: Workspace) -> None:
    mail = rendered("<p>x</p>", subject="For {{ first_name }}", step=2, first_name="Ana")
    assert mail.subject == "Re: For Ana"


@pytest.mark.parametrize("text_only", [False, True])
def test_it_always_adds_the_footer(in_ws: Workspace, text_only: bool) -> None:
    mail = rendered("x", text_only=text_only)
    for part in filter(None, [mail.text, mail.html]):
        assert "Studio, 14 Quay Lane, Harwick" in part
        assert "You get this because" in part
        assert "/u/" in part
    headers = dict(mail.headers)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = headers["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    assert read_opt_out(token).workspace_id == in_ws.pk


def test_it_says_why_by_what_is_recorded(in_ws: Workspace) -> None:
    mail = rendered("x", basis=Basis.CONSENT, source="Fair of 3 Nov.")
    assert "because you agreed to mail from Studio. How we found you: Fair of 3 Nov." in mail.text


def test_it_lists_links_for_a_removal_request(in_ws: Workspace) -> None:
    campaign = make_campaign(kind="removal", steps=[("Links", "<p>Please remove:</p><p>{{ links }}</p>")])
    assert campaign.mailbox is not None
    urls = ["https://a.example/1?x[]=2&y=3", "https://a.example/2"]
    mail = render_step(
        campaign.steps.get(), make_contact(), mailbox=campaign.mailbox, campaign=campaign, links=urls
    )
    assert mail.html is not None
    assert mail.html.count("<li>") == 2
    assert all(url in mail.text for url in urls)


def test_it_loads_nothing_from_outside(in_ws: Workspace) -> None:
    body = (
        '<p style="background:url(https://x.example/a)">x<img src="https://x.example/p.png"></p>'
        '<link rel="stylesheet" href="https://x.example/s.css"><style>@import "x"</style>'
        '<iframe src="//x"></iframe>'
    )
    mail = rendered(body)
    assert mail.html is not None
    assert not any(bad in mail.html for bad in ("<img", "<link", "<style", "<iframe", "url("))


def test_it_spells_links_out_in_the_text(in_ws: Workspace) -> None:
    mail = rendered('<p>See <a href="https://huts.example/map?a=1&amp;b=2">our map</a></p>')
    assert "our map (https://huts.example/map?a=1&b=2)" in mail.text


def test_it_counts_links_only_where_it_may_and_says_so(in_ws: Workspace) -> None:
    campaign = make_campaign(steps=[("Hi", '<p><a href="https://huts.example/">map</a></p>')])
    step, mailbox = campaign.steps.get(), campaign.mailbox
    assert mailbox is not None
    contact, key = make_contact(), uuid.uuid4()
    plain = render_step(step, contact, mailbox=mailbox, campaign=campaign, key=key)
    counted = render_step(step, contact, mailbox=mailbox, campaign=campaign, key=key, clicks=True)
    assert plain.html is not None
    assert counted.html is not None
    assert "/c/" not in plain.html
    assert "/c/" in counted.html
    assert "Clicks on links are counted." in counted.text
    assert "/c/" not in counted.text


def test_it_previews_the_same_text_without_anything_that_acts(in_ws: Workspace) -> None:
    campaign = make_campaign(steps=[("Hi {{ first_name }}", "<p>Hello {{ first_name }}</p>")])
    contact = make_contact(first_name="Ana")
    shown = rendering.preview(campaign.steps.get(), contact)
    assert campaign.mailbox is not None
    real = render_step(
        campaign.steps.get(), contact, mailbox=campaign.mailbox, campaign=campaign, key=uuid.uuid4()
    )
    assert shown.subject == real.subject == "Hi Ana"
    assert shown.text.partition("Stop these mails")[0] == real.text.partition("Stop these mails")[0]
    assert "/u/preview" in shown.text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hello {{ frist_name }}", "unknown_field"),
        ("Hello {{ first_name.__class__ }}", "unknown_field"),
        ("Hello {{ first_name", "liquid"),
        ("Hello }} there", "liquid"),
        ("{{ first_name | base64_decode }}", "liquid"),
        ("{% include 'x' %}", "liquid"),
        ("{% for a in links %}{{ a }}{% endfor %}", "liquid"),
        ("{% if first_name %}", "liquid"),
        ("a [add stat] b", "placeholder"),
        ("Hello {first name}", "placeholder"),
        ("Hello *|FNAME|*", "placeholder"),
        ("Hello %FIRSTNAME%", "placeholder"),
    ],
)
def test_it_names_what_is_wrong_with_a_text(text: str, code: str) -> None:
    assert code in [problem.code for problem in check_template(text, known=KNOWN, html=False)]


@pytest.mark.parametrize(
    "text",
    [
        'Hello {{ first_name | default: "there" }}',
        "{% if page_title %}On {{ page_title }}{% else %}Hello{% endif %}",
        "A footnote [1] and 100% and a {} and https://a.example/?x[a]=1",
    ],
)
def test_it_finds_nothing_wrong_with_a_right_text(text: str) -> None:
    assert check_template(text, known=KNOWN, html=False) == []


def test_it_says_in_which_visible_line_a_placeholder_stands() -> None:
    problems = check_template("<p>a</p><p>b</p><p>see [add <b>stat</b>]</p>", known=KNOWN)
    assert [(problem.line, problem.code) for problem in problems] == [(3, "placeholder")]


def test_it_takes_a_field_that_only_others_have_for_blank(in_ws: Workspace) -> None:
    mail = rendered('<p>{{ page_title }} {{ topic | default: "huts" }}</p>')
    assert mail.blanks == ["page_title"]
    assert "huts" in mail.text


@pytest.mark.parametrize("text", ["{{ a", "{{ name.__class__ }}", "{{ name | run }}", "{% include 'x' %}"])
def test_it_raises_for_a_text_that_cannot_be_filled_in(in_ws: Workspace, text: str) -> None:
    with pytest.raises(templating.BadTemplate):
        rendered(f"<p>{text}</p>", name="Ana")


def test_it_limits_what_a_text_may_grow_to() -> None:
    with pytest.raises(templating.BadTemplate):
        templating.fill("{{ a }}" * 200, {"a": "x" * 2000}, html=False)


def test_it_keeps_fields_when_it_cleans_html() -> None:
    text = '<p onclick="x()">Hi {{ first_name | default: "there" }}</p><script>1</script>'
    assert sanitise(text) == '<p>Hi {{ first_name | default: "there" }}</p>'


def test_it_finalises_the_frozen_row(in_ws: Workspace) -> None:
    message: Message = make_message(state="queued")
    message.headers = '[["List-Unsubscribe", "<https://x.example/u/1>"]]'
    mail = rendering.finalise(message)
    assert mail.key == str(message.pk)
    assert mail.to_address == message.to_address
    assert mail.headers == (("List-Unsubscribe", "<https://x.example/u/1>"),)


def test_it_signs_with_the_mailboxes_signature(in_ws: Workspace) -> None:
    mailbox: Mailbox = make_mailbox(signature="Mira <Fell>\nFernhill")
    campaign: Campaign = make_campaign(mailbox=mailbox)
    step: Step = campaign.steps.get()
    mail = rendering.preview(step, make_contact())
    assert "Mira <Fell>\nFernhill" in mail.text
    assert "Mira &lt;Fell&gt;<br>Fernhill" in (mail.html or "")
