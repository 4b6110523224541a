"""Decisions 18: what is counted of whom."""

from __future__ import annotations

import pytest

from tracking.defaults import EUROPEAN_UNION, may_track, needs_consent


def both_on(country: str, consent: str = "unknown", **flags: bool | None) -> tuple[bool, bool]:
    return may_track(country, consent, workspace_opens=True, workspace_clicks=True, **flags)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "country", [*sorted(EUROPEAN_UNION), "IS", "LI", "NO", "GB", "CH", "de", " fr ", "UK", "EL"]
)
def test_it_counts_nothing_of_people_inside_without_consent(country: str) -> None:
    assert both_on(country) == (False, False)


def test_it_knows_all_27_members() -> None:
    assert len(EUROPEAN_UNION) == 27


@pytest.mark.parametrize("country", ["", "  ", "XX", "ZZ", "XK", "Germany", "D", "1", "🇩🇪", "ÄÖ"])
def test_it_takes_an_unknown_country_for_inside(country: str) -> None:
    assert needs_consent(country)


@pytest.mark.parametrize("country", ["US", "ca", "AU", "BR", "IN", "TR", "ZA"])
def test_it_follows_the_flags_outside(country: str) -> None:
    assert may_track(country, "unknown", workspace_opens=False, workspace_clicks=True) == (False, True)
    assert both_on(country) == (True, True)


def test_it_obeys_a_recorded_consent_and_a_refusal() -> None:
    assert both_on("DE", "given") == (True, True)
    assert both_on("", "given") == (True, True)
    assert both_on("US", "refused") == (False, False)


def test_it_takes_consent_for_no_wish_of_ours() -> None:
    assert may_track("DE", "given", workspace_opens=False, workspace_clicks=False) == (False, False)


def test_it_lets_a_campaign_differ_from_its_workspace() -> None:
    assert both_on("US", campaign_opens=False, campaign_clicks=None) == (False, True)
    assert both_on("DE", campaign_opens=True, campaign_clicks=True) == (False, False)


def test_it_counts_nothing_of_a_text_only_mail() -> None:
    assert both_on("US", "given", text_only=True) == (False, False)
