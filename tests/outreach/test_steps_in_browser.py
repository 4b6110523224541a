"""The story of a sequence at the screen: a step with its wait, thread and condition, and a day of rest."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.models import Workspace
from accounts.tenancy import workspace
from outreach.models import Holiday
from tests import factories
from tests.outreach.test_browser_campaigns import saved, visit

__all__ = ["visit"]
Visit = Callable[[str], Page]


def test_a_step_is_told_when_it_goes_and_in_which_thread(visit: Visit, ws: Workspace) -> None:
    with workspace(ws):
        ana = factories.make_contact("ana@a.example", first_name="Ana")
        campaign = factories.make_campaign(steps=[factories.FIRST_MAIL, factories.FOLLOW_UP], contacts=[ana])
    page = visit(f"campaigns/{campaign.pk}/compose/?step=2")
    expect(page.locator("#step-form").get_by_text("Re: Your hut table")).to_be_visible()
    subject = page.get_by_role("textbox", name="Subject")
    expect(subject).to_be_hidden()
    saved(page, lambda: page.get_by_label("Thread").select_option("New thread, own subject"))
    expect(page.locator("#step-form").get_by_text("Re: Your hut table")).to_be_hidden()

    def write() -> None:
        subject.click()
        page.keyboard.type("Another idea")

    saved(page, write)
    saved(page, lambda: page.get_by_label("Days or working days").select_option("working days"))
    saved(page, lambda: page.get_by_label("Goes").select_option("Only who opened a link before"))
    expect(page.locator("#composer-steps")).to_contain_text("4 working days, no reply, a click · new thread")
    expect(page.locator("#preview article")).to_contain_text("Another idea")
    with workspace(ws):
        step = campaign.steps.get(position=2)
        assert (step.subject, step.new_thread, step.working_days, step.condition) == (
            "Another idea",
            True,
            True,
            "clicked",
        )


def test_a_day_of_rest_is_written_down_and_taken_out(visit: Visit, ws: Workspace) -> None:
    page = visit("holidays/")
    expect(page.get_by_text("No holiday stands here")).to_be_visible()
    page.get_by_role("textbox", name="Days").fill("2090-12-25")
    page.get_by_role("button", name="Add these days").click()
    expect(page.get_by_text("needs a name behind its date")).to_be_visible()
    page.get_by_role("textbox", name="Days").fill("2090-12-25 Christmas Day")
    page.get_by_role("button", name="Add these days").click()
    expect(page.get_by_role("row", name="Christmas Day")).to_be_visible()
    page.get_by_role("button", name="Remove Christmas Day").click()
    expect(page.get_by_text("No holiday stands here")).to_be_visible()
    with workspace(ws):
        assert not Holiday.objects.exists()
