"""What is new in an answer and what it quotes."""

from __future__ import annotations

import pytest

from mailbox.parsing.quoting import split
from tests.mailbox.parsing import quote_cases as cases
from tests.mailbox.parsing.quote_cases import OLD

TEXTS = [
    (language, layout, between)
    for language in cases.WROTE
    for layout, between in cases.text_layouts(language).items()
]
PAGES = [
    (language, layout, quote)
    for language in cases.WROTE
    for layout, quote in cases.html_layouts(language).items()
]
BOTH_SIGNATURES = [(language, signature) for language, both in cases.SIGNATURES.items() for signature in both]


@pytest.mark.parametrize(("language", "layout", "between"), TEXTS)
def test_it_folds_a_quote_in_every_layout_and_language(language: str, layout: str, between: str) -> None:
    found = split(f"Yes, please.\n\nAnn\n\n{between}{OLD}\n")
    assert (found.new, found.signature) == ("Yes, please.\n\nAnn", "")
    assert found.quoted.endswith(OLD)


@pytest.mark.parametrize(("language", "layout", "quote"), PAGES)
def test_it_takes_a_quote_out_of_every_layout_and_language(language: str, layout: str, quote: str) -> None:
    found = split(f"<html><body><p>Yes, please.</p>{quote}</body></html>", html=True)
    assert "Yes, please." in found.new
    assert OLD not in found.new
    assert OLD in found.quoted


@pytest.mark.parametrize(("language", "signature"), BOTH_SIGNATURES)
@pytest.mark.parametrize("quote", ["", f"\n\n{cases.WROTE['en'][0]}\n> {OLD}"])
def test_it_takes_the_signature_off(language: str, signature: str, quote: str) -> None:
    found = split(f"Yes, please.\nHow much?\n\n{signature}{quote}")
    assert found.new == "Yes, please.\nHow much?"
    assert found.signature == signature


@pytest.mark.parametrize(
    "text",
    [
        "Yes.\n\n-- \nAnn Smith\nTo unsubscribe from our newsletter write to news@far.example",
        "Yes.\n\nGet Outlook for iOS<https://aka.ms/o0ukef>",
        "Yes.\n\nSent with Proton Mail secure email.",
        "Yes.\n\nYahoo Mail: Search, Organize, Conquer",
        "Yes.\n\nRegards\nAnn\n\nThis e-mail is confidential. If you are not the addressee, unsubscribe.",
        "Yes.\n\nCONFIDENTIALITY NOTICE: do not contact us.",
    ],
)
def test_it_hears_no_wish_in_a_signature(text: str) -> None:
    found = split(text)
    assert found.new == "Yes."
    assert text == f"{found.new}\n\n{found.signature}"


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my iPhone",
        "Regards\nAnn",
        "Thanks.\n\nBest regards,\nAnn\n\nPS: please take me off your list",
        "Hello.\n\nCheers,\n\nOne more thing: we would rather not get any more of these mails from you.",
        "I sent it from my office, please unsubscribe me",
        "Kind regards to your boss and please stop writing",
    ],
)
def test_it_keeps_what_is_said_below_a_greeting(text: str) -> None:
    found = split(text)
    assert (found.new, found.signature) == (text, "")


@pytest.mark.parametrize(
    "signature",
    [
        '<div class="gmail_signature">Ann, unsubscribe</div>',
        '<div dir="ltr" data-smartmail="gmail_signature">Ann, unsubscribe</div>',
        '<div id="ms-outlook-mobile-signature">Get Outlook, unsubscribe</div>',
        '<div id="Signature">Ann, unsubscribe</div>',
        '<pre class="moz-signature">-- Ann, unsubscribe</pre>',
        '<div class="protonmail_signature_block">Sent with Proton, unsubscribe</div>',
        '<div class="ydp5signature">Ann, unsubscribe</div>',
    ],
)
def test_it_takes_the_signature_out_of_html(signature: str) -> None:
    found = split(f"<p>Yes.</p>{signature}<p>Really.</p>", html=True)
    assert "unsubscribe" in found.signature
    assert "unsubscribe" not in found.new
    assert "Really." in found.new


@pytest.mark.parametrize(
    "introduction",
    [
        "On Mon, Jun 3, 2024 at 10:00 AM A B <a@b.example> wrote:\n> ",
        "On Mon, Jun 3, 2024 at 10:00 AM Somebody With A Long Name\n<somebody@b.example> wrote:\n\n> ",
        "On 3 Jun 2024, at 10:00, A B <a@b.example> wrote:\n\n",
        "Am 03.06.2024 um 10:00 schrieb A B <a@b.example>:\n> ",
        "Am Mo., 3. Juni 2024 um 10:00 Uhr schrieb A B <\na@b.example>:\n\n> ",
        "Le lun. 3 juin 2024 à 10:00, A B <a@b.example> a écrit\u00a0:\n\n> ",
        "El lun, 3 jun 2024 a las 10:00, A B (<a@b.example>) escribió:\n> ",
        "Il giorno lun 3 giu 2024 alle 10:00 A B <a@b.example> ha scritto:\n> ",
        "Op ma 3 jun 2024 om 10:00 schreef A B <a@b.example>:\n> ",
        "From: A B <a@b.example>\nSent: Monday, June 3, 2024 10:00\nTo: c@d.example\nSubject: hello\n\n",
        "________________________________\nFrom: A B <a@b.example>\nSent: Monday\nTo: c\nSubject: hello\n\n",
        "Von: A B <a@b.example>\nGesendet: Montag, 3. Juni 2024 10:00\nAn: c@d.example\nBetreff: hello\n\n",
        "De : A B <a@b.example>\nEnvoyé : lundi 3 juin 2024\nÀ : c@d.example\nObjet : hello\n\n",
        "-----Original Message-----\nFrom: A B\n\n",
        "-----Ursprüngliche Nachricht-----\nVon: A B\n\n",
        "---------- Forwarded message ---------\nFrom: A B\n\n",
        "> ",
    ],
)
def test_it_folds_what_mail_programs_quote(introduction: str) -> None:
    found = split(f"Yes, please.\n\nAnn\n\n{introduction}{OLD}\n")
    assert found.new == "Yes, please.\n\nAnn"
    assert found.quoted.endswith(OLD)


@pytest.mark.parametrize(
    "text",
    [
        "Just words.",
        "He wrote: no. On that I agree.",
        "As I wrote on 3 June 2024:\nplease take me off your list",
        "On 3 June 2024 I wrote:\nplease take me off your list",
        "Meet at 10:00, 3 June 2024:\nour office",
        "From: the start\nI liked it.",
        "On Monday I wrote:\nnothing special",
        "- one\n- two\n\nAnn",
        "________________________________\nAnn, the company",
    ],
)
def test_it_keeps_what_only_looks_like_a_quote(text: str) -> None:
    assert split(text).new == text


def test_it_keeps_answers_between_and_below_quoted_lines() -> None:
    found = split("On 3 Jun A <a@b.example> wrote:\n> first?\nyes\n> second?\nno\n\nAnn")
    assert found.new == "yes\nno\n\nAnn"
    assert found.quoted.splitlines()[1:] == ["> first?", "> second?"]


def test_it_loses_no_line() -> None:
    text = "a\n> b\nOn 3 Jun A <a@b.example> wrote:\n> c\nd"
    found = split(text)
    assert sorted((found.new + "\n" + found.quoted).splitlines()) == sorted(text.splitlines())


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote"><div class="gmail_attr">On x wrote:</div>'
        f'<blockquote class="gmail_quote">{OLD}</blockquote></div>',
        f'<div class="gmail_quote gmail_quote_container">---- Forwarded<br>{OLD}</div>',
        f'<div class="moz-cite-prefix">On x wrote:</div><blockquote type="cite">{OLD}</blockquote>',
        f'<div id="divRplyFwdMsg"><b>From:</b> A</div><div>{OLD}</div>',
        f'<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> A</div><div>{OLD}</div>',
        '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt"><p><b>From:</b> A'
        " <b>Sent:</b> B"
        f" <b>To:</b> C</p></div></div><p>{OLD}</p>",
        f"<div><hr><div><b>Von:</b> A<br><b>Gesendet:</b> B</div></div>{OLD}",
        f'<div class="yahoo_quoted"><div>On x wrote:</div>{OLD}</div>',
        f'<div class="protonmail_quote">{OLD}</div>',
        f"On 3 June A wrote:<br><blockquote>{OLD}</blockquote>",
    ],
)
def test_it_takes_quotes_out_of_html(quote: str) -> None:
    found = split(f"<html><body><p>Yes, please.</p>{quote}</body></html>", html=True)
    assert "Yes, please." in found.new
    assert OLD not in found.new
    assert OLD in found.quoted


def test_it_keeps_html_answers_between_quotes() -> None:
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">On x wrote:</div><blockquote>one?</blockquote>'
        '<div>yes</div><blockquote class="gmail_quote">two?</blockquote><div>no</div></div><p>Ann</p>'
    )
    html = html.replace("<blockquote>", '<blockquote class="gmail_quote">')
    found = split(html, html=True)
    assert [word in found.new for word in ("yes", "no", "Ann", "one?", "two?")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_it_leaves_a_pull_quote_and_a_rule_in_the_text() -> None:
    html = "<p>See:</p><blockquote>a proverb</blockquote><hr><p>Ann, From: Berlin</p>"
    assert split(html, html=True).quoted == ""
    assert "a proverb" in split(html, html=True).new


def test_it_keeps_words_that_look_like_tags_escaped() -> None:
    found = split('&lt;script&gt;x<div id="divRplyFwdMsg">a</div>&lt;b&gt;', html=True)
    assert found.new == "&lt;script&gt;x"
    assert "<b>" not in found.quoted
