"""Machines' answers told from people's, and the day of return."""

from __future__ import annotations

from datetime import date

import pytest

from mailbox.parsing.autoreplies import read_auto_reply

SENT = ("Date", "Mon, 03 Jun 2024 10:00:00 +0200")


@pytest.mark.parametrize(
    ("headers", "subject"),
    [
        ((("Auto-Submitted", "auto-replied"),), "Re: hello"),
        ((("AUTO-SUBMITTED", "auto-generated; x=y"),), ""),
        ((("X-Autoreply", "yes"),), "Re: hello"),
        ((("X-Autorespond", "hello"),), "Re: hello"),
        ((("X-Auto-Reply-From", "x@y.example"),), "Re: hello"),
        ((("Return-Path", "<>"),), "Re: hello"),
        ((("X-MS-Exchange-Inbox-Rules-Loop", "a@b.example"),), "Re: hello"),
        ((("X-MS-Exchange-Generated-Message-Source", "Mailbox Rules Agent"),), "Re: hello"),
        ((("List-Id", "<news.example>"),), "News"),
        ((), "Automatic reply: hello"),
        ((), "Out of Office: hello"),
        ((), "Abwesenheitsnotiz: hello"),
        ((), "Réponse automatique : hello"),
        ((), "Respuesta automática: hello"),
        ((), "=?utf-8?q?R=C3=A9ponse_automatique?="),
        ((("Precedence", "bulk"), ("From", "no-reply@far.example")), "Re: hello"),
    ],
)
def test_it_knows_a_machine_by_its_signs(headers: tuple[tuple[str, str], ...], subject: str) -> None:
    assert read_auto_reply(headers, subject) is not None


@pytest.mark.parametrize(
    ("headers", "subject", "text"),
    [
        ((), "Re: hello", "Yes, please send it."),
        ((("X-Auto-Response-Suppress", "All"),), "Re: hello", "Yes."),
        ((("Auto-Submitted", "no"),), "Re: hello", "Yes."),
        ((("Precedence", "bulk"),), "Re: hello", "Yes."),
        ((), "Re: hello", "I am on vacation until Monday, but yes, let us talk then."),
        ((("Return-Path", "<ann@far.example>"),), "Re: Automatic reply: hello", "I am back, yes."),
    ],
)
def test_it_leaves_people_alone(headers: tuple[tuple[str, str], ...], subject: str, text: str) -> None:
    assert read_auto_reply(headers, subject, text) is None


def test_it_says_out_of_office_where_the_text_does() -> None:
    signs = (("Auto-Submitted", "auto-replied"),)
    away = read_auto_reply(signs, "Re: hello", "I am out of the office.")
    thanks = read_auto_reply(signs, "Re: hello", "We received your message.")
    assert away is not None
    assert thanks is not None
    assert (away.reason, thanks.reason) == ("out_of_office", "auto_submitted")


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("I will be back on Monday, June 10th.", date(2024, 6, 10)),
        ("I am out of the office until Friday 7 June.", date(2024, 6, 7)),
        ("Away from June 5 to June 20, 2024.", date(2024, 6, 20)),
        ("Away through 2024-06-20.", date(2024, 6, 21)),
        ("I return on\nJuly 1,\n2024", date(2024, 7, 1)),
        ("Out until Monday.", date(2024, 6, 10)),
        ("Back on January 7.", date(2025, 1, 7)),
        ("Ich bin bis zum 14.06.2024 im Urlaub.", date(2024, 6, 14)),
        ("Vom 3. bis einschließlich 12. Juni bin ich abwesend.", date(2024, 6, 13)),
        ("Ab dem 3. Juli bin ich wieder erreichbar.", date(2024, 7, 3)),
        ("Je suis absente jusqu'au 12 juin 2024 inclus.", date(2024, 6, 13)),
        ("En congés du 3 au 15 juin.", date(2024, 6, 15)),
        ("De retour le 17/06/2024", date(2024, 6, 17)),
        ("Estoy fuera de la oficina hasta el 3 de julio.", date(2024, 7, 3)),
        ("Vuelvo el lunes.", date(2024, 6, 10)),
        ("I am back 06/03/2024 or so.", None),
        ("Back on 31 June.", None),
        ("I was away until 3 June 2020.", None),
        ("Away until further notice. Call me on 5 June.", None),
        ("Back at 10:30.", None),
        ("I am out of the office.", None),
    ],
)
def test_it_reads_the_day_of_return(text: str, back: date | None) -> None:
    found = read_auto_reply((SENT, ("Auto-Submitted", "auto-replied")), "", text)
    assert found is not None
    assert found.back_on == back


def test_it_guesses_no_year_without_the_mails_own_date() -> None:
    found = read_auto_reply(
        (("Auto-Submitted", "auto-replied"), ("Date", "yesterday")), "", "Back on 7 June."
    )
    assert found is not None
    assert found.back_on is None
