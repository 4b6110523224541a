"""The words of a campaign's rail and of the composer's foot."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Workspace
from outreach.views import campaign_words
from tests.factories import make_campaign


@pytest.mark.parametrize(
    ("least", "jitter", "words"),
    [
        (0, 0, "no pause between two"),
        (0.2, 0.1, "less than a second apart"),
        (0, 0.9, "less than a second apart"),
        (0.5, 1.5, "up to 2 seconds apart"),
        (1, 0, "1 second apart"),
        (30, 60, "30 to 90 seconds apart"),
        (45, 0, "45 seconds apart"),
        (120, 240, "2 to 6 minutes apart"),
        (180, 0, "3 minutes apart"),
        (50, 100, "50 to 150 seconds apart"),
    ],
)
def test_it_says_the_pause_between_two_mails_plainly(
    settings: Any, least: float, jitter: float, words: str
) -> None:
    settings.SEND_SPACING_SECONDS, settings.SEND_SPACING_JITTER = least, jitter
    assert campaign_words.spacing_words() == words


@pytest.mark.parametrize(
    ("opens", "clicks", "words"),
    [
        (True, True, ["Image loads and link clicks counted where allowed"]),
        (False, False, ["Image loads and link clicks not counted"]),
        (True, False, ["Image loads counted where allowed", "link clicks not"]),
        (False, True, ["Link clicks counted where allowed", "image loads not"]),
    ],
)
@pytest.mark.django_db
def test_it_says_in_one_line_what_is_counted(
    in_ws: Workspace, opens: bool, clicks: bool, words: list[str]
) -> None:
    row = make_campaign(tracks_opens=opens, tracks_clicks=clicks)
    assert campaign_words.counting_words(row, in_ws) == ", ".join(words)


@pytest.mark.django_db
def test_it_counts_nothing_in_plain_text(in_ws: Workspace) -> None:
    row = make_campaign(text_only=True, tracks_opens=True, tracks_clicks=True)
    assert campaign_words.counting_words(row, in_ws) == "Plain text: image loads and link clicks not counted"
