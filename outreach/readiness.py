"""Before a launch: what stops it, whom it leaves out, and what it would be better to change.

The number of queries does not grow with the number of people.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.functions import Coalesce

from accounts import clock
from accounts.viewpoint import whole_workspace
from mailbox.models import MailboxState
from outreach import content, hand_edits, rendering, spinning, templating
from outreach.gates import people
from outreach.gates.verdict import days
from outreach.holding import blank_code, held_sentence
from outreach.models import (
    Backlink,
    Campaign,
    CampaignKind,
    CampaignState,
    Contact,
    Enrollment,
    EnrollmentState,
    LinkState,
    Message,
    MessageKind,
    Step,
    StepCondition,
    Suppression,
)
from outreach.models.messages import COUNTED, STOPPABLE
from outreach.problems import Problem
from outreach.suppression import blocking
from tracking.defaults import may_track

# What a removal request still asks about.
ASKED_ABOUT = [LinkState.NOT_CHECKED, LinkState.LIVE, LinkState.NOFOLLOW, LinkState.COULD_NOT_CHECK]


@dataclass(frozen=True)
class Readiness:
    """`problems` stop the launch; people in `held_back` are left out by name, each with a sentence."""

    ready: list[Enrollment] = field(default_factory=list)
    held_back: list[tuple[Enrollment, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def readiness(campaign: Campaign) -> Readiness:
    """Of everybody who is not under way yet. A held-back enrollment carries its code in `reason`."""
    steps = list(campaign.steps.all())
    waiting = Enrollment.objects.filter(
        campaign=campaign, state__in=[EnrollmentState.PLANNED, EnrollmentState.HELD_BACK]
    )
    rows = list(waiting.select_related("contact", "contact__site").order_by("pk"))
    problems = problems_of(campaign, steps, [row.contact for row in rows])
    links = links_by_enrollment(rows) if campaign.kind == CampaignKind.REMOVAL else {}
    ready: list[Enrollment] = []
    held: list[tuple[Enrollment, str]] = []
    codes = _codes(campaign, steps, rows, links, fill=not any(row.code in _BROKEN for row in problems))
    for row in rows:
        row.reason = codes.get(row.pk, "")
        if row.reason:
            held.append((row, held_sentence(row.reason)))
        else:
            ready.append(row)
    if not rows and campaign.state == CampaignState.DRAFT:
        problems.append(Problem("nobody", "Nobody is in this campaign yet.", field="people"))
    elif rows and not ready:
        problems.append(Problem("nobody_ready", "Everybody is held back.", field="people"))
    warnings = [*warnings_of(campaign, steps), *_conditions(campaign, steps, ready)]
    return Readiness(ready, held, problems, warnings)


_BROKEN = {"liquid", "unknown_field"}


def problems_of(campaign: Campaign, steps: Sequence[Step], contacts: Sequence[Contact]) -> list[Problem]:
    """What stops the launch for everybody."""
    found = [*_setting_problems(campaign)]
    if not steps:
        return [*found, Problem("no_text", "The first mail is not written yet.", step=1, field="body")]
    known, html = rendering.known_fields(contacts), not campaign.text_only
    for step in steps:
        parts = [("body", step.body, html)]
        if step.begins_thread:
            parts.insert(0, ("subject", step.subject, False))
        for name, text, as_html in parts:
            if not (rendering.text_of(text) if as_html else text).strip():
                subject = "The subject" if step.position == 1 else f"The subject of step {step.position}"
                words = f"{subject} is empty." if name == "subject" else f"Step {step.position} has no text."
                found.append(Problem("no_text", words, step=step.position, field=name))
            found += [
                dataclasses.replace(problem, step=step.position, field=name)
                for problem in rendering.check_template(text, known=known, html=as_html)
            ]
    for step in steps:
        openings = spinning.variants(step.subject, html=False) if step.begins_thread else []
        pretends = next(filter(None, map(content.pretends, openings)), None)
        if pretends:
            found.append(dataclasses.replace(pretends, step=step.position))
    return found


def _setting_problems(campaign: Campaign) -> list[Problem]:
    found: list[Problem] = []
    mailbox = campaign.mailbox
    if mailbox is None or mailbox.state == MailboxState.REVOKED:
        found.append(Problem("no_mailbox", "Choose the mailbox it leaves from.", field="mailbox"))
    elif mailbox.state == MailboxState.BROKEN:
        found.append(Problem("mailbox_broken", f"{mailbox.address} needs reconnecting.", field="mailbox"))
    if not campaign.workspace.postal_address.strip():
        words = "The workspace has no postal address. Every mail needs one."
        found.append(Problem("no_postal_address", words, field="postal_address"))
    if not campaign.weekdays:
        found.append(Problem("no_weekday", "Choose at least one day on which it may send.", field="weekdays"))
    if campaign.state == CampaignState.CANCELLED:
        found.append(
            Problem("cancelled", "The campaign was cancelled. Duplicate it to go on.", field="state")
        )
    if campaign.workspace.suspended_at is not None:
        found.append(Problem("suspended", "This workspace is suspended.", field="state"))
    return found


def warnings_of(campaign: Campaign, steps: Sequence[Step]) -> list[Problem]:
    found: list[Problem] = []
    for step in steps:
        hints: dict[str, Problem] = {}
        for subject, body in _wordings(step, html=not campaign.text_only):
            html = None if campaign.text_only else body
            text = body if html is None else rendering.text_of(html)
            for problem in content.warnings(subject, text, html):
                hints.setdefault(problem.code, dataclasses.replace(problem, step=step.position))
        found += hints.values()
        if campaign.kind == CampaignKind.REMOVAL and step.position == 1 and "links" not in step.body:
            found.append(Problem("no_links", "The request does not list the links.", step=1, field="body"))
    return [*found, *_edited_before(campaign, steps)]


def _edited_before(campaign: Campaign, steps: Sequence[Step]) -> Iterator[Problem]:
    for position, count in hand_edits.changed_since(campaign, steps).items():
        who = "1 mail edited by hand keeps" if count == 1 else f"{count:,} mails edited by hand keep"
        words = f"{who} older words: the text of this step changed since."
        yield Problem("edited_before", words, step=position, field="body")


def _wordings(step: Step, *, html: bool) -> Iterator[tuple[str, str]]:
    """(subject, body) with each option of the step's choices in at least one."""
    subjects = spinning.variants(step.subject, html=False) if step.begins_thread else [""]
    bodies = spinning.variants(step.body, html=html)
    for row in range(max(len(subjects), len(bodies))):
        yield subjects[min(row, len(subjects) - 1)], bodies[min(row, len(bodies) - 1)]


def _conditions(campaign: Campaign, steps: Sequence[Step], ready: Sequence[Enrollment]) -> list[Problem]:
    """A step that asks about clicks is skipped for whom none are counted (outreach/conditions.py)."""
    asking = [step for step in steps if step.condition != StepCondition.ALWAYS]
    if not asking:
        return []
    here = campaign.workspace
    counted = sum(
        may_track(
            row.contact.country,
            row.contact.tracking_consent,
            workspace_opens=here.tracks_opens,
            workspace_clicks=here.tracks_clicks,
            campaign_opens=campaign.tracks_opens,
            campaign_clicks=campaign.tracks_clicks,
            text_only=campaign.text_only,
        ).clicks
        for row in ready
    )
    if counted == len(ready) and ready:
        return []
    who = (
        f"{len(ready) - counted:,} of {len(ready):,} people"
        if ready
        else "people whose clicks are not counted"
    )
    if ready and not counted:
        who = "everybody"
    words = f"It asks about clicks, and is skipped for {who}: their clicks are not counted."
    if not ready:
        words = f"It asks about clicks, and is skipped for {who}."
    return [Problem("clicks_unknown", words, step=step.position) for step in asking]


def links_by_enrollment(rows: Sequence[Enrollment]) -> dict[object, list[str]]:
    """The pages that a removal request lists, per enrollment, in the order of their addresses."""
    found: dict[object, list[str]] = {row.pk: [] for row in rows}
    links = Backlink.objects.filter(case__enrollment__in=[row.pk for row in rows], state__in=ASKED_ABOUT)
    for enrollment, url in links.order_by("source_url").values_list("case__enrollment", "source_url"):
        if url not in found[enrollment]:
            found[enrollment].append(url)
    return found


def _codes(
    campaign: Campaign,
    steps: Sequence[Step],
    rows: Sequence[Enrollment],
    links: dict[object, list[str]],
    *,
    fill: bool,
) -> dict[object, str]:
    """Why each person is held back; nothing for those who are ready."""
    blocked: dict[str, Suppression] = blocking(row.contact.address for row in rows)
    edited = hand_edits.steps_by_enrollment(row.pk for row in rows)
    cooling = _written_to(campaign, rows) if campaign.kind == CampaignKind.OUTREACH else set()
    codes: dict[object, str] = {}
    for row in rows:
        contact = row.contact
        if contact.address in blocked:
            codes[row.pk] = blocked[contact.address].reason
            continue
        verdict = next(
            (answer for answer in (people.basis_of(contact), people.region_of(contact)) if not answer.ok),
            None,
        )
        if verdict is not None:
            codes[row.pk] = verdict.code
        elif contact.pk in cooling:
            codes[row.pk] = "cool_down"
        elif row.pk in links and not links[row.pk]:
            codes[row.pk] = "no_links"
        elif fill and campaign.mailbox is not None:
            values = rendering.values_for(contact, mailbox=campaign.mailbox, links=links.get(row.pk, ()))
            written = [step for step in steps if step.pk not in edited.get(row.pk, ())]
            try:
                blanks = rendering.blanks_of(written, values, text_only=campaign.text_only)
            except templating.BadTemplate:
                codes[row.pk] = "template"
            else:
                if blanks:
                    codes[row.pk] = blank_code(blanks)
    return codes


@whole_workspace("a person is spared over all projects")
def _written_to(campaign: Campaign, rows: Sequence[Enrollment]) -> set[object]:
    """The contacts to whom another campaign wrote in the cool-down's time, or is about to write."""
    since = clock.now() - days(campaign.workspace.cool_down_days)
    first_mails = (
        Message.objects.filter(kind=MessageKind.FIRST, contact__in=[row.contact_id for row in rows])
        .exclude(campaign=campaign)
        .annotate(left_at=Coalesce("sent_at", "attempted_at", "created_at"))
        .filter(Q(state__in=COUNTED, left_at__gt=since) | Q(state__in=STOPPABLE))
    )
    return set(first_mails.values_list("contact", flat=True))
