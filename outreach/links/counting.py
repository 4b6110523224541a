"""Removal work in numbers: per case for a list, and for a whole project. No query per row."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Min, Q, QuerySet

from outreach.models import Backlink, CaseState, LinkState, Project, RemovalCase, Verdict

GONE = [LinkState.GONE, LinkState.PAGE_GONE]
# What a request still asks about.
STILL_THERE = [LinkState.NOT_CHECKED, LinkState.LIVE, LinkState.NOFOLLOW, LinkState.COULD_NOT_CHECK]

FILTERS: dict[str, tuple[str, Q]] = {
    "": ("All sites", Q()),
    "decide": ("To decide", Q(verdict=Verdict.UNDECIDED)),
    "answered": ("Your turn", Q(state=CaseState.YOUR_TURN)),
    "contact": ("No contact", Q(verdict=Verdict.REMOVE, contact=None, state=CaseState.OPEN)),
    "unclear": ("Could not check", Q(unclear__gt=0)),
    "keep": ("Keep", Q(verdict=Verdict.KEEP)),
    "remove": ("Ask to remove", Q(verdict=Verdict.REMOVE)),
    "disavow": ("Disavow", Q(verdict=Verdict.DISAVOW)),
    "gone": ("Links gone", Q(gone__gt=0)),
    "live": ("Links live", Q(live__gt=0) | Q(nofollow__gt=0)),
}
# Those that stand above the table; the others are reached from the tallies.
OFFERED = ("", "decide", "answered", "contact", "unclear")


@dataclass(frozen=True)
class Tally:
    """Sites by verdict, links by state."""

    sites: int
    undecided: int
    keep: int
    remove: int
    disavow: int
    links: int
    gone: int
    live: int
    unclear: int
    claimed: int
    unchecked: int


def with_links(rows: QuerySet[RemovalCase]) -> QuerySet[RemovalCase]:
    """Cases with their links counted by state, and with what the list says of them: words, first sight."""
    return rows.annotate(
        total=Count("links", distinct=True),
        gone=_links(Q(links__state__in=GONE)),
        live=_links(Q(links__state=LinkState.LIVE)),
        nofollow=_links(Q(links__state=LinkState.NOFOLLOW)),
        claimed=_links(Q(links__state=LinkState.SAYS_REMOVED)),
        unclear=_links(Q(links__state=LinkState.COULD_NOT_CHECK)),
        unchecked=_links(Q(links__state=LinkState.NOT_CHECKED)),
        marked=_links(Q(links__nofollow=True)),
        anchors=Count("links__anchor", distinct=True, filter=~Q(links__anchor="")),
        one_anchor=Min("links__anchor"),
        since=Min("links__first_seen"),
    )


def _links(condition: Q) -> Count:
    return Count("links", distinct=True, filter=condition)


def filter_counts(project: Project) -> list[tuple[str, str, int]]:
    """(value, words, how many sites) of each filter above the table, in one query."""
    asks = Q(verdict=Verdict.REMOVE, contact=None, state=CaseState.OPEN)
    unclear = Q(links__state=LinkState.COULD_NOT_CHECK)
    found = RemovalCase.objects.filter(project=project).aggregate(
        every=Count("id", distinct=True),
        decide=Count("id", distinct=True, filter=Q(verdict=Verdict.UNDECIDED)),
        answered=Count("id", distinct=True, filter=Q(state=CaseState.YOUR_TURN)),
        contact=Count("id", distinct=True, filter=asks),
        unclear=Count("id", distinct=True, filter=unclear),
    )
    return [(value, FILTERS[value][0], found[value or "every"]) for value in OFFERED]


def tally_of(project: Project) -> Tally:
    """Two queries, whatever the size of the project."""
    cases = RemovalCase.objects.filter(project=project).aggregate(
        sites=Count("id"),
        undecided=Count("id", filter=Q(verdict=Verdict.UNDECIDED)),
        keep=Count("id", filter=Q(verdict=Verdict.KEEP)),
        remove=Count("id", filter=Q(verdict=Verdict.REMOVE)),
        disavow=Count("id", filter=Q(verdict=Verdict.DISAVOW)),
    )
    links = Backlink.objects.filter(project=project).aggregate(
        links=Count("id"),
        gone=Count("id", filter=Q(state__in=GONE)),
        live=Count("id", filter=Q(state__in=[LinkState.LIVE, LinkState.NOFOLLOW])),
        unclear=Count("id", filter=Q(state=LinkState.COULD_NOT_CHECK)),
        claimed=Count("id", filter=Q(state=LinkState.SAYS_REMOVED)),
        unchecked=Count("id", filter=Q(state=LinkState.NOT_CHECKED)),
    )
    return Tally(**cases, **links)


def most_links_first(rows: QuerySet[RemovalCase]) -> QuerySet[RemovalCase]:
    """A steady order: no row moves while a verdict is given."""
    return rows.order_by(F("total").desc(), "site__domain")
