"""A text of the library goes into a removal request, and into the reminder that was written in last."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Workspace
from accounts.tenancy import workspace
from outreach.links import request_text
from outreach.models import Campaign, Project
from tests import factories
from tests.outreach.test_browser_campaigns import visit

__all__ = ["visit"]


@pytest.fixture
def project(ws: Workspace, transactional_db: None) -> Project:
    with workspace(ws):
        factories.make_mailbox()
        factories.make_text(
            "Kept request", subject="Links to {{ sender_name }}", body="<p>Dear {{ name }},</p><p>please.</p>"
        )
        row = factories.make_project("Clean-up", website="fernhill.example")
        request_text.prepare(row, actor=None)
        return row


def use(page: Page) -> None:
    page.locator("[data-library] summary").click()
    page.get_by_role("button", name="Use a text").click()
    page.locator("#library-pick input").fill("kept")
    page.get_by_role("option", name="Kept request").click()
    page.get_by_role("button", name="Replace the text").click()


def test_a_text_replaces_the_request_or_a_reminder(
    visit: Callable[[str], Page], project: Project, ws: Workspace
) -> None:
    page = visit(f"removals/{project.pk}/text/")
    subject, body = page.get_by_label("Subject"), page.get_by_label("Request", exact=True)
    before = (subject.input_value(), body.input_value())
    use(page)
    expect(subject).to_have_value("Links to {{ sender_name }}")
    expect(body).to_have_value("Dear {{ name }},\n\nplease.")
    expect(page.locator("#toasts")).to_contain_text("“Kept request” is in the field")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(body).to_have_value(before[1])
    expect(subject).to_have_value(before[0])
    reminder = page.get_by_role("textbox", name="First reminder")
    reminder.focus()
    use(page)
    expect(reminder).to_have_value("Dear {{ name }},\n\nplease.")
    expect(subject).to_have_value(before[0])
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator("#toasts")).to_contain_text("Saved")
    with workspace(ws):
        steps = Campaign.objects.get(project=project).steps
        assert steps.get(position=2).body == "Dear {{ name }},\n\nplease."
        assert steps.get(position=1).body.strip() == before[1].strip()
