"""What a person does with a removal case: the verdict, who is asked, what became of each link, the request.

A case's state follows from its verdict, its links and its mails; `settle` is the one place that works it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.clock import Now
from accounts.models import User
from outreach import contacts, sequences
from outreach.links.counting import GONE
from outreach.models import (
    Backlink,
    CaseState,
    Contact,
    Enrollment,
    EnrollmentState,
    LinkState,
    Message,
    MessageState,
    Project,
    RemovalCase,
    Verdict,
)
from outreach.pipeline import compose
from outreach.suppression import blocking

_UNDER_WAY = [EnrollmentState.PLANNED, EnrollmentState.HELD_BACK, EnrollmentState.RUNNING]
_MAY_BE_ASKED = [EnrollmentState.PLANNED, EnrollmentState.HELD_BACK]


class NotAllowed(Exception):
    """The act does not fit the case; the message is the sentence for the screen."""


@dataclass(frozen=True)
class Writable:
    """Who gets a request when one presses the button, and whom it leaves out, each with a sentence."""

    ready: list[RemovalCase] = field(default_factory=list)
    held_back: list[tuple[RemovalCase, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Written:
    """What one press did: requests that were queued, and cases left out with a sentence."""

    asked: list[RemovalCase]
    held_back: list[tuple[RemovalCase, str]]


def set_verdict(case: RemovalCase, verdict: Verdict, *, actor: User | None) -> bool:
    """Keep, ask or disavow; whether that changed something. What waits under another verdict is cancelled."""
    with transaction.atomic():
        row = _locked(case)
        if row.verdict == verdict:
            return False
        RemovalCase.objects.filter(pk=row.pk).update(verdict=verdict, verdict_at=Now())
        if verdict != Verdict.REMOVE and row.enrollment is not None:
            _stop(row.enrollment, EnrollmentState.CANCELLED, reason="case_closed")
        elif row.enrollment is not None:
            _take_up_again(row.enrollment)
        audit.record(
            "case.verdict",
            f"{row.site.domain}: {_undecided(verdict) or verdict.label.lower()}",
            actor=actor,
            object_id=row.pk,
        )
        settle(row)
    case.refresh_from_db()
    return True


def _undecided(verdict: Verdict) -> str:
    return "the verdict was taken back" if verdict == Verdict.UNDECIDED else ""


def set_verdicts(cases: Iterable[RemovalCase], verdict: Verdict, *, actor: User | None) -> int:
    """The same verdict for several; how many were changed."""
    return sum(set_verdict(case, verdict, actor=actor) for case in cases)


def set_contact(
    case: RemovalCase,
    *,
    actor: User | None,
    contact: Contact | None = None,
    address: str = "",
    name: str = "",
    source: str = "",
) -> Contact:
    """Somebody known, or an address that was typed. Raises contacts.BadContact, NotAllowed.

    While requests to somebody wait, naming another person cancels those.
    """
    with transaction.atomic():
        row = _locked(case)
        person = contact or contacts.find(address)
        if person is None:
            person = contacts.save_contact(
                address=address,
                name=name,
                website=row.site.domain,
                source=source or f"named as the contact of {row.site.domain}",
                actor=actor,
            )
        if row.contact_id == person.pk:
            return person
        other = RemovalCase.objects.filter(enrollment__contact=person, project=row.project_id)
        if other.exclude(pk=row.pk).exists():
            raise NotAllowed("This person is asked about another site of the project; one request at a time.")
        if row.enrollment is not None:
            _stop(row.enrollment, EnrollmentState.CANCELLED, reason="contact_changed")
        RemovalCase.objects.filter(pk=row.pk).update(contact=person, enrollment=None)
        audit.record(
            "case.contact", f"{person.address} is asked for {row.site.domain}", actor=actor, object_id=row.pk
        )
        settle(row)
    case.refresh_from_db()
    return person


def set_link_state(
    case: RemovalCase, state: LinkState, *, actor: User | None, link: Backlink | None = None
) -> int:
    """What a person saw: of one link, or of all of the case. How many links that changed."""
    with transaction.atomic():
        row = _locked(case)
        links = Backlink.objects.filter(case=row).exclude(state=state)
        if link is not None:
            links = links.filter(pk=link.pk)
        changed: int = links.update(state=state, state_at=Now())
        if changed:
            what = f"{changed} links" if changed != 1 else "1 link"
            audit.record(
                "case.links",
                f"{what} of {row.site.domain} by hand: {state.label}",
                actor=actor,
                object_id=row.pk,
            )
            settle(row)
    case.refresh_from_db()
    return changed


def set_scope(case: RemovalCase, *, whole_domain: bool, actor: User | None) -> None:
    """Whether the disavow file names the whole domain or only the listed pages."""
    with transaction.atomic():
        RemovalCase.objects.filter(pk=case.pk).update(whole_domain=whole_domain)
        words = "the whole domain" if whole_domain else "only the listed pages"
        audit.record(
            "case.scope", f"{case.site.domain} in the disavow file: {words}", actor=actor, object_id=case.pk
        )
    case.whole_domain = whole_domain


def settle(case: RemovalCase) -> None:
    """Work the state out anew; all links gone closes the case and cancels what waits."""
    row = RemovalCase.objects.select_related("enrollment").get(pk=case.pk)
    links = Backlink.objects.filter(case=row)
    gone = links.exists() and not links.exclude(state__in=GONE).exists()
    if gone:
        to = CaseState.GONE
        if row.enrollment is not None:
            _stop(row.enrollment, EnrollmentState.FINISHED, reason="links_gone")
    elif row.verdict == Verdict.DISAVOW:
        to = CaseState.GIVEN_UP
    elif row.enrollment is not None and row.enrollment.state == EnrollmentState.REPLIED:
        to = CaseState.YOUR_TURN
    else:
        to = CaseState.OPEN
    if row.state != to:
        closed = Now() if to in (CaseState.GONE, CaseState.GIVEN_UP) else None
        RemovalCase.objects.filter(pk=row.pk).update(state=to, closed_at=closed)


def writable(project: Project) -> Writable:
    """Cases with the verdict "Ask to remove" that were not asked yet, ready or held back with a sentence."""
    rows = (
        RemovalCase.objects.filter(
            Q(enrollment=None) | Q(enrollment__state__in=_MAY_BE_ASKED, enrollment__messages=None),
            project=project,
            verdict=Verdict.REMOVE,
            state=CaseState.OPEN,
        )
        .select_related("site", "contact", "enrollment", "project")
        .order_by("site__domain")
        .distinct()
    )
    cases = list(rows)
    blocked = blocking(case.contact.address for case in cases if case.contact is not None)
    still = set(
        Backlink.objects.filter(case__in=[case.pk for case in cases])
        .exclude(state__in=[*GONE, LinkState.SAYS_REMOVED])
        .values_list("case", flat=True)
    )
    found = Writable()
    for case in cases:
        if case.contact is None:
            found.held_back.append((case, "Nobody is named who could be asked."))
        elif case.contact.address in blocked:
            words = blocked[case.contact.address].get_reason_display().lower()
            found.held_back.append((case, f"{case.contact.address} is suppressed: {words}."))
        elif case.pk not in still:
            found.held_back.append((case, "No link of this site is left to ask about."))
        else:
            found.ready.append(case)
    return found


def write_to(project: Project, cases: Sequence[RemovalCase], *, actor: User | None) -> Written:
    """Queue one mail per site that lists its links. Raises compose.NotReady."""
    rows = [case for case in cases if case.project_id == project.pk]
    asked, held = compose.ask_for_removal(rows, actor=actor)
    return Written(asked, held)


def mails_of(case: RemovalCase) -> Q:
    """The requests of this case, also those to somebody who was its contact before."""
    here = Q(project=case.project_id, campaign__kind="removal")
    return Q(enrollment=case.enrollment_id, enrollment__isnull=False) | (
        here & Q(contact__site=case.site_id) & Q(contact__site__isnull=False)
    )


def _locked(case: RemovalCase) -> RemovalCase:
    """The row, locked, so that a verdict and a reply cannot both decide the state."""
    rows = RemovalCase.objects.select_for_update(of=("self",))
    row: RemovalCase = rows.select_related("site", "enrollment", "project").get(pk=case.pk)
    return row


def _take_up_again(enrollment: Enrollment) -> None:
    """Undo what another verdict stopped: the way goes on behind the last request that left.

    A cancelled row stays cancelled for good (faults.md 3); one that no worker ever held and that has no
    draft anywhere tells nothing, so it makes room for a new one.
    """
    if enrollment.state != EnrollmentState.CANCELLED or enrollment.reason != "case_closed":
        return
    mails = Message.objects.filter(enrollment=enrollment)
    untouched = mails.filter(
        state=MessageState.CANCELLED,
        reason="case_closed",
        attempted_at__isnull=True,
        draft_id__isnull=True,
        draft_left=False,
        draft_unclear_at__isnull=True,
    )
    untouched.delete()
    last = mails.filter(state=MessageState.SENT).order_by("-step__position").first()
    if mails.exclude(state=MessageState.SENT).exists():
        return
    Enrollment.objects.filter(pk=enrollment.pk, state=EnrollmentState.CANCELLED).update(
        state=EnrollmentState.RUNNING if last else EnrollmentState.PLANNED, reason="", stopped_at=None
    )
    if last is not None and last.sent_at is not None:
        sequences.plan_next(last, after=last.sent_at)


def _stop(enrollment: Enrollment, to: EnrollmentState, *, reason: str) -> None:
    if enrollment.state in _UNDER_WAY or Message.objects.stoppable().filter(enrollment=enrollment).exists():
        sequences.stop(enrollment, to, reason=reason)
