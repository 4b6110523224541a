"""What the panes of the inbox show: the list, the mails, the answer, the rail."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any
from urllib.parse import parse_qsl

from django.http import QueryDict

from accounts import clock
from accounts.access import MemberRequest, own_or_404
from accounts.models import Role
from mailbox.models import Mailbox, MailboxState
from outreach import labels, saved_views, stages, suggestions, to_do
from outreach.inbox import acts, answering, conversation, listing, presence, search, site
from outreach.inbox.listing import Wanted
from outreach.models import Campaign, Label, Project, RemovalCase, Reply, ReplyKind, Thread, ViewPage
from outreach.suppression import is_suppressed

# Names in a menu of filters; more are found by the list's search.
MOST_CHOICES = 200
# Of a conversation, where somebody asks for all of it.
MOST_MAILS = 400
MOST_TASKS = 5


def own(pk: uuid.UUID) -> Thread:
    rows = Thread.objects.select_related(
        "contact__site", "campaign", "project", "mailbox", "enrollment", "assignee__user"
    )
    return own_or_404(rows, pk)


def filters_of(request: MemberRequest) -> dict[str, str]:
    """The list's filters: of the address, or of the page that a form was sent from (`list`)."""
    return (QueryDict(request.POST.get("list", "")) if request.method == "POST" else request.GET).dict()


def with_filters(request: MemberRequest, path: str) -> str:
    """`path` with the list's filters behind it."""
    given = filters_of(request)
    query = Wanted.of(given).query()
    return f"{path}?{query}" if query else path


def list_pane(request: MemberRequest, here: Thread | None = None) -> dict[str, Any]:
    """The left pane. Opened from elsewhere, a conversation stands among those of its own kind."""
    given = filters_of(request)
    wanted = Wanted.of(given)
    if here is not None and not wanted.query() and "show" not in given:
        wanted = Wanted(show=_kind_of(here))
    page = listing.page_of(listing.threads(wanted, member=request.membership.pk), wanted)
    rows = listing.rows_of(page.threads)
    counts = {
        "": listing.count(Thread.objects.waiting()),
        "snoozed": listing.count(Thread.objects.snoozed()),
    }
    may_be_answers = suggestions.waiting().count()
    shown = [
        (
            row.label,
            row.line,
            here.pk,
            here.stands_at,
            here.unread,
            here.assignee_id,
            here.snoozed_until,
            here.waits,
        )
        for row, here in ((row, row.thread) for row in rows)
    ]
    stamp = repr((shown, counts, may_be_answers))
    return {
        "wanted": wanted,
        "query": wanted.query(),
        "page": page,
        "newer": wanted.query(after="", before=page.newer) if page.newer else "",
        "older": wanted.query(after=page.older, before="") if page.older else "",
        "page_is_past": bool(wanted.after or wanted.before),
        "rows": rows,
        "states": [
            (
                value,
                words,
                listing.in_words(counts[value]) if counts.get(value) else "",
                wanted.first_page(show=value),
            )
            for value, words in listing.SHOWS.items()
        ],
        "active": _active(wanted),
        "may_be_answers": may_be_answers,
        "no_words": bool(wanted.q) and not search.wanted(wanted.q),
        "seen": hashlib.sha256(stamp.encode()).hexdigest()[:20],
    }


def choices(request: MemberRequest, wanted: Wanted) -> dict[str, Any]:
    """The menus of the filter, by name, and the saved views. What is set but is not in a menu stays set."""
    found = {
        "mailbox": [(str(row.pk), row.address) for row in Mailbox.objects.live()[:MOST_CHOICES]],
        "project": _named(Project.objects.order_by("name").values_list("pk", "name")[:MOST_CHOICES]),
        "campaign": _named(Campaign.objects.order_by("-created_at").values_list("pk", "name")[:MOST_CHOICES]),
        "label": [(value, words) for value, words in Label.choices],
    }
    titles = {"mailbox": "Mailbox", "project": "Project", "campaign": "Campaign", "label": "Label"}
    menus = [(name, titles[name], getattr(wanted, name), rows) for name, rows in found.items()]
    given = dict(parse_qsl(wanted.query()))
    return {
        "menus": menus,
        "saved": saved_views.menu_of(ViewPage.INBOX, given, user=request.user),
        "may_work": request.membership.may(Role.MEMBER),
        "may_administer": request.membership.may(Role.ADMIN),
    }


def mails_pane(request: MemberRequest, row: Thread) -> dict[str, Any]:
    asked_for_all = request.GET.get("all") == "yes"
    most = MOST_MAILS if asked_for_all else conversation.MOST
    shown = conversation.of_thread(row, now=clock.now(), most=most)
    items = shown.items
    writers = presence.in_words(presence.others(row.pk, but=request.user))
    stamp = repr([_stamp(item) for item in items]) + writers
    return {
        "thread": row,
        "items": items,
        "earlier": shown.earlier,
        "all_mails": asked_for_all,
        "mails_seen": hashlib.sha256(stamp.encode()).hexdigest()[:20],
        "writers": writers,
        "all_labels": [(value.value, value.label, *labels.MARKS[value]) for value in Label],
        "may_work": request.membership.may(Role.MEMBER),
        "query": Wanted.of(filters_of(request)).query(),
    }


def thread_panes(request: MemberRequest, row: Thread) -> dict[str, Any]:
    """The middle and the right pane."""
    mails = mails_pane(request, row)
    theirs = [item for item in mails["items"] if isinstance(item, conversation.Theirs)]
    last = next((item.reply for item in reversed(theirs) if item.is_last), None)
    if last is None and mails["earlier"]:
        last = Reply.objects.filter(thread=row, kind=ReplyKind.REPLY).order_by("received_at").last()
    to = last.from_address if last else row.contact.address
    blocked = is_suppressed(to) or is_suppressed(row.contact.address)
    case = RemovalCase.objects.filter(enrollment=row.enrollment_id, enrollment__isnull=False).first()
    task_cards = list(stages.cards_about(row.contact, project=row.project_id)[:MOST_TASKS])
    return {
        **mails,
        "task_cards": task_cards,
        "open_tasks": list(to_do.about(task_cards)[:MOST_TASKS]),
        "task_from": f"thread={row.pk}",
        "today": to_do.today(),
        "to": to,
        "blocked": blocked,
        "asks": blocked is not None,
        "suggested": list(suggestions.of_thread(row)),
        "compose_id": uuid.uuid4(),
        "note_id": uuid.uuid4(),
        "answer_seen": answering.seen(row),
        "people": list(acts.assignable(row)) if mails["may_work"] else [],
        "me": request.membership.pk,
        "snoozes": acts.SNOOZES.items(),
        "is_snoozed": row.snoozed_until is not None and row.snoozed_until > clock.now(),
        "text": "",
        "problem": "",
        "cannot": _cannot(row),
        "case": case,
        "site_contact": site.contact_with(row.contact, now=clock.now()),
    }


def whole(request: MemberRequest, row: Thread) -> dict[str, Any]:
    """All panes, with this conversation open."""
    page = {**list_pane(request, row), **thread_panes(request, row), "reading": True}
    page["query"] = page["wanted"].query()
    return page | choices(request, page["wanted"])


def _named(rows: Any) -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in rows]


def _active(wanted: Wanted) -> list[tuple[str, str]]:
    """(words, the address without it) of the filters that are set, the state and the search apart."""
    names = {"mailbox": "One mailbox", "project": "One project", "campaign": "One campaign",
             "unread": "Unread", "mine": "Mine"}  # fmt: skip
    found = [
        (words, wanted.first_page(**{name: ""})) for name, words in names.items() if getattr(wanted, name)
    ]
    if wanted.label:
        found.append((str(Label(wanted.label).label), wanted.first_page(label="")))
    return found


def _kind_of(row: Thread) -> str:
    if row.snoozed_until is not None and row.snoozed_until > clock.now():
        return "snoozed"
    return "" if row.waits else "all"


def _stamp(item: conversation.Ours | conversation.Theirs | conversation.Said) -> object:
    match item:
        case conversation.Ours():
            return item.mail.pk, item.mail.state, [(entry.at, entry.words) for entry in item.evidence]
        case conversation.Theirs():
            return item.reply.pk, item.reply.label
        case _:
            return item.note.pk


def _cannot(row: Thread) -> str:
    """Why nothing can be written from here, or "" where it can."""
    mailbox = row.mailbox
    if mailbox is None or mailbox.state == MailboxState.REVOKED:
        return "Access to the mailbox of this conversation was removed, so nothing can be sent from here."
    if mailbox.state == MailboxState.BROKEN:
        return f"{mailbox.address} needs reconnecting before an answer can leave."
    return ""
