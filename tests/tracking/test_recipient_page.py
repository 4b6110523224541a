"""The recipient's page: GET shows, POST acts, within the request, without cookie or sign-in."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Workspace
from tests.tracking.conftest import Upper
from tracking.freemail import company_domain
from tracking.page import in_words
from tracking.recipient import Act
from tracking.tokens import click_url, opt_out_url, pixel_url

INDEX = b"i" * 32


def url_of(upper: Upper) -> str:
    return opt_out_url(upper.ws.pk, upper.key, address_index=INDEX)


def words(content: bytes) -> str:
    return (
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content.decode())).replace(" .", ".").replace(" ,", ",")
    )


def strict() -> Client:
    """A browser for which Django checks CSRF tokens."""
    return Client(enforce_csrf_checks=True)


def test_it_says_who_wrote_and_why(upper: Upper) -> None:
    text = words(Client().get(url_of(upper)).content)
    assert "Joren from Studio wrote to you" in text
    assert (
        "On 3 and 10 November 2026, from joren@fernhill.example, about 2 links on cheap-tents.example" in text
    )
    assert "that point to fernhill.example. Joren asks you to remove them." in text
    assert "They found this address on your imprint." in text
    assert "2 sent to you, 1 answer from you" in text
    assert "Private link for webmaster@cheap-tents.example" in text
    assert "Sent with Outreach for Studio, 14 Quay Lane, Harwick" in text


def test_it_loads_no_script_sets_no_cookie_and_is_kept_nowhere(upper: Upper) -> None:
    answer = Client().get(url_of(upper))
    assert b"<script" not in answer.content
    assert b"style=" not in answer.content
    assert not answer.cookies
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert "noindex" in answer["X-Robots-Tag"]


def test_it_changes_nothing_by_looking(upper: Upper) -> None:
    for _ in range(25):
        Client().get(url_of(upper))
        Client().head(url_of(upper))
        Client().get(url_of(upper) + "?act=stop&List-Unsubscribe=One-Click")
        Client().get(url_of(upper) + "?ask=wrong_person")
    assert upper.facts_that_came_up == []
    assert upper.acts == []
    assert upper.events() == []


@pytest.mark.parametrize(
    "body",
    [
        {"content_type": "application/x-www-form-urlencoded", "data": "List-Unsubscribe=One-Click"},
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"data": {}},
        {"content_type": "text/plain", "data": "x"},
    ],
)
def test_it_stops_by_one_click_within_the_request(upper: Upper, body: dict[str, object]) -> None:
    answer = strict().post(url_of(upper), **body)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert not answer.cookies
    (fact,) = upper.facts_that_came_up
    assert (fact["key"], fact["kind"], fact["detail"]) == (upper.key, "opted_out", "address")
    assert fact["address_index"] == INDEX
    assert upper.events() == [("opted_out", "human")]


@pytest.mark.parametrize(
    ("act", "detail"), [("stop", "address"), ("stop_company", "domain"), ("delete_data", "address")]
)
def test_it_stops_by_a_button(upper: Upper, act: str, detail: str) -> None:
    answer = strict().post(url_of(upper), {"act": act})
    assert answer.status_code == 200
    assert [fact["detail"] for fact in upper.facts_that_came_up] == [detail]
    assert b'role="status"' in answer.content
    assert "This address gets no further mail from Studio." in words(answer.content)
    assert b'value="stop"' not in answer.content


@pytest.mark.parametrize("act", ["removed", "wrong_person", "delete_data"])
def test_it_hands_up_what_the_recipient_says(upper: Upper, act: str) -> None:
    answer = strict().post(
        url_of(upper), {"act": act, "note": "Ask\r\nBcc: x@y.example\x00  Ana" + "!" * 600}
    )
    assert answer.status_code == 200
    ((key, what, note),) = upper.acts
    assert (key, what) == (upper.key, Act(act))
    assert note.startswith("Ask Bcc: x@y.example Ana")
    assert len(note) == 500


def test_it_asks_for_the_line_before_it_tells(upper: Upper) -> None:
    page = Client().get(url_of(upper) + "?ask=wrong_person")
    assert b'name="note"' in page.content
    assert b'<label class="form-label" for="note">' in page.content


def test_it_may_stop_a_company_after_an_address_at_once(upper: Upper) -> None:
    strict().post(url_of(upper), {"act": "stop"})
    strict().post(url_of(upper), {"act": "stop_company"})
    assert [fact["detail"] for fact in upper.facts_that_came_up] == ["address", "domain"]


@pytest.mark.parametrize("act", ["", "nonsense", "STOP", "stop\x00"])
def test_it_refuses_an_act_it_does_not_know(upper: Upper, act: str) -> None:
    answer = strict().post(url_of(upper), {"act": act})
    assert answer.status_code == 400
    assert "Nothing was changed." in words(answer.content)
    assert upper.facts_that_came_up == []


def test_it_offers_a_company_stop_to_no_shared_domain(upper: Upper) -> None:
    upper.say(recipient_address="ana@gmail.com")
    assert b"stop_company" not in Client().get(url_of(upper)).content
    assert strict().post(url_of(upper), {"act": "stop_company"}).status_code == 400
    assert upper.facts_that_came_up == []


@pytest.mark.parametrize(
    ("address", "company"),
    [
        ("a@Fernhill.Example", "fernhill.example"),
        ("a@yahoo.co.uk", ""),
        ("a@GMX.net", ""),
        ("a@localhost", ""),
        ("", ""),
    ],
)
def test_it_knows_whose_domain_it_is(address: str, company: str) -> None:
    assert company_domain(address) == company


def test_it_offers_no_removal_where_none_was_asked(upper: Upper) -> None:
    upper.say(is_removal=False, links=())
    page = Client().get(url_of(upper))
    assert b'value="removed"' not in page.content
    assert "Wrong person" in words(page.content)
    assert strict().post(url_of(upper), {"act": "removed"}).status_code == 400
    assert upper.acts == []


def test_it_shows_what_is_stopped_already(upper: Upper) -> None:
    upper.say(stopped="domain")
    page = Client().get(url_of(upper))
    assert b'value="stop"' not in page.content
    assert b'value="stop_company"' not in page.content
    assert "Nobody at cheap-tents.example is written to again by Studio." in words(page.content)


def test_it_still_stops_after_the_mail_was_erased_and_two_years_later(
    upper: Upper, later: Callable[..., None]
) -> None:
    upper.erase()
    later(days=731)
    page = Client().get(url_of(upper))
    assert page.status_code == 200
    assert "has been deleted. Your address can still be kept" in words(page.content)
    assert b"delete_data" not in page.content
    assert strict().post(url_of(upper), {"act": "stop"}).status_code == 200
    assert strict().post(url_of(upper), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert [fact["address_index"] for fact in upper.facts_that_came_up] == [INDEX, INDEX]


def test_it_claims_no_stop_that_it_cannot_make(upper: Upper) -> None:
    upper.erase()
    blind = opt_out_url(upper.ws.pk, upper.key)
    assert "Nothing is left that could be stopped here." in words(Client().get(blind).content)
    assert strict().post(blind).status_code == 410
    assert upper.facts_that_came_up == []


def test_it_undoes_all_when_one_part_cannot_be_done(upper: Upper) -> None:
    upper.refuses = True
    with pytest.raises(ConnectionError):
        strict().post(url_of(upper), {"act": "delete_data"})
    assert upper.events() == []


def test_it_answers_a_wrong_address_with_a_page_and_no_change(upper: Upper) -> None:
    good = url_of(upper)
    for url in (
        good[:-1],
        good + "A",
        "/u/x",
        pixel_url(upper.ws.pk, upper.key).replace("/o/", "/u/"),
        click_url(upper.ws.pk, upper.key, "https://a.example/", 1).replace("/c/", "/u/"),
    ):
        shown, posted = Client().get(url), strict().post(url, {"act": "stop"})
        assert (shown.status_code, posted.status_code) == (404, 404)
        assert shown.content == posted.content
        assert b"Studio" not in shown.content
    assert upper.facts_that_came_up == []


def test_it_reaches_no_mail_by_another_workspaces_token(upper: Upper, stranger: object) -> None:
    other = Workspace.objects.exclude(pk=upper.ws.pk).get()
    strict().post(opt_out_url(other.pk, upper.key, address_index=INDEX))
    assert upper.events() == []


def test_it_says_so_when_the_sender_is_gone(upper: Upper) -> None:
    url = opt_out_url(uuid.uuid4(), upper.key, address_index=INDEX)
    assert Client().get(url).status_code == 410
    assert strict().post(url).status_code == 410


def test_it_escapes_what_others_wrote(upper: Upper) -> None:
    upper.say(sender_name="<b>Joren</b>", why="<script>alert(1)</script>", site="<i>x</i>")
    page = Client().get(url_of(upper)).content
    for raw in (b"<script", b"<b>Joren", b"<i>x"):
        assert raw not in page


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([], ""),
        ([(2026, 11, 3)], "3 November 2026"),
        ([(2026, 11, 10), (2026, 11, 3), (2026, 11, 3)], "3 and 10 November 2026"),
        ([(2026, 10, 28), (2026, 11, 3)], "28 October and 3 November 2026"),
        ([(2025, 12, 30), (2026, 1, 4)], "30 December 2025 and 4 January 2026"),
        ([(2026, 11, 1), (2026, 11, 2), (2026, 11, 3)], "1, 2 and 3 November 2026"),
    ],
)
def test_it_says_days_in_words(days: list[tuple[int, int, int]], said: str) -> None:
    assert in_words(tuple(dt.datetime(*day, 9, tzinfo=dt.UTC) for day in days)) == said
