"""What is new in an answer and what it quotes."""

from __future__ import annotations

import pytest

from mailbox.parsing.quoting import split_html, split_text

OLD = "our old words, unsubscribe here"


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
    split = split_text(f"Yes, please.\n\nAnn\n\n{introduction}{OLD}\n")
    assert split.new == "Yes, please.\n\nAnn"
    assert split.quoted.endswith(OLD)


@pytest.mark.parametrize(
    "text",
    [
        "Just words.",
        "Sent from my iPhone",
        "He wrote: no. On that I agree.",
        "From: the start\nI liked it.",
        "On Monday I wrote:\nnothing special",
        "- one\n- two\n\nBest regards\nAnn",
        "________________________________\nAnn, the company",
    ],
)
def test_it_keeps_what_only_looks_like_a_quote(text: str) -> None:
    assert split_text(text).new == text


def test_it_keeps_answers_between_and_below_quoted_lines() -> None:
    split = split_text("On 3 Jun A <a@b.example> wrote:\n> first?\nyes\n> second?\nno\n\nAnn")
    assert split.new == "yes\nno\n\nAnn"
    assert split.quoted.splitlines()[1:] == ["> first?", "> second?"]


def test_it_loses_no_line() -> None:
    text = "a\n> b\nOn 3 Jun A <a@b.example> wrote:\n> c\nd"
    split = split_text(text)
    assert sorted((split.new + "\n" + split.quoted).splitlines()) == sorted(text.splitlines())


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
    split = split_html(f"<html><body><p>Yes, please.</p>{quote}</body></html>")
    assert "Yes, please." in split.new
    assert OLD not in split.new
    assert OLD in split.quoted


def test_it_keeps_html_answers_between_quotes() -> None:
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">On x wrote:</div><blockquote>one?</blockquote>'
        '<div>yes</div><blockquote class="gmail_quote">two?</blockquote><div>no</div></div><p>Ann</p>'
    )
    html = html.replace("<blockquote>", '<blockquote class="gmail_quote">')
    split = split_html(html)
    assert [word in split.new for word in ("yes", "no", "Ann", "one?", "two?")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_it_leaves_a_pull_quote_and_a_rule_in_the_text() -> None:
    html = "<p>See:</p><blockquote>a proverb</blockquote><hr><p>Ann, From: Berlin</p>"
    assert split_html(html).quoted == ""
    assert "a proverb" in split_html(html).new


def test_it_keeps_words_that_look_like_tags_escaped() -> None:
    split = split_html('&lt;script&gt;x<div id="divRplyFwdMsg">a</div>&lt;b&gt;')
    assert split.new == "&lt;script&gt;x"
    assert "<b>" not in split.quoted
