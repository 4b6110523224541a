"""A backlink list becomes links, grouped by site into cases; each row that cannot is named with a reason."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import User
from outreach.importing import ImportRefused, Reject, Table, read_table
from outreach.links.addresses import BadAddress, Page, read_page
from outreach.links.layouts import Layout, NoColumn, recognise
from outreach.models import Backlink, CaseState, LinkState, Project, RemovalCase, Site
from outreach.models.links import url_key

__all__ = ["ImportRefused", "NoColumn", "Reject", "Report", "Stored", "known", "read", "store"]

MOST_BYTES = 8 * 1024 * 1024
MOST_ROWS = 50_000
BATCH = 1000
LONGEST_ANCHOR = 300
_SURPLUS = "The row has more fields than the first row has names."
_OPEN = "A quotation mark opens in this row and never closes."
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(frozen=True)
class Row:
    """One link of the list."""

    line: int
    source: Page
    target: Page
    anchor: str = ""
    nofollow: bool = False
    first_seen: dt.date | None = None


@dataclass(frozen=True)
class Report:
    """What stands in a list, before anything is stored. `twice`: rows that repeat one above."""

    rows: list[Row]
    rejects: list[Reject]
    layout: Layout
    columns: list[str] = field(default_factory=list)
    twice: int = 0
    encoding: str = "utf-8"
    delimiter: str = ","

    @property
    def mapping(self) -> list[tuple[str, str]]:
        """(the file's column, what it is to us), the columns left out last."""
        ours = {
            self.layout.source: "Linking site" if self.layout.domains else "Linking page",
            self.layout.target: "Our page",
            self.layout.anchor: "Words of the link",
            self.layout.nofollow: "Nofollow",
            self.layout.first_seen: "First found",
        }
        pairs = [(name, ours.get(at, "")) for at, name in enumerate(self.columns) if name]
        return sorted(pairs, key=lambda pair: not pair[1])


@dataclass(frozen=True)
class Stored:
    """`new` links of this list; `known` were there before. `sites` and `new_sites` count cases."""

    new: int
    known: int
    sites: int
    new_sites: int


def read(
    data: bytes,
    *,
    filename: str = "",
    website: str = "",
    source_column: str = "",
    target_column: str = "",
) -> Report:
    """`website` is what a list without targets links to. Raises ImportRefused, NoColumn."""
    table = read_table(data, filename=filename, most_bytes=MOST_BYTES, most_rows=MOST_ROWS)
    first = table.rows[0][1]
    layout = recognise(first, source=source_column, target=target_column)
    ours = _website(website)
    if layout.target is None and ours is None:
        raise ImportRefused(
            "This list does not say which of your pages is linked to, and the project has no website. "
            "Name the website first."
        )
    rows = table.rows[1:] if layout.header else table.rows
    if not layout.header:
        rows = [(line, _bare(cells, layout, table.delimiter)) for line, cells in rows]
    return _sorted_out(table, rows, layout, ours, columns=len(first) if layout.header else 0)


def _website(website: str) -> Page | None:
    try:
        return read_page(f"https://{website}/") if website else None
    except BadAddress:
        return None


def _sorted_out(
    table: Table, lines: Iterable[tuple[int, list[str]]], layout: Layout, ours: Page | None, *, columns: int
) -> Report:
    rows: list[Row] = []
    rejects: list[Reject] = []
    seen: set[str] = set()
    twice = 0
    for line, cells in lines:
        try:
            row = _row(line, cells, layout, ours, columns=columns)
        except BadAddress as bad:
            rejects.append(Reject(line, _shown(cells, layout), str(bad)))
            continue
        key = url_key(row.source.url, row.target.url)
        if key in seen:
            twice += 1
            continue
        seen.add(key)
        rows.append(row)
    names = [cell.strip() for cell in table.rows[0][1]] if layout.header else []
    return Report(rows, rejects, layout, names, twice, table.encoding, table.delimiter)


def _row(line: int, cells: Sequence[str], layout: Layout, ours: Page | None, *, columns: int) -> Row:
    if columns > 1 and len(cells) == 1 and cells[0].count('"') % 2:
        raise BadAddress(_OPEN)
    if columns and any(cell.strip() for cell in cells[columns:]):
        raise BadAddress(_SURPLUS)
    source = _cell(cells, layout.source)
    if layout.domains:
        source = f"https://{source.strip().rstrip('/')}/" if source.strip() else ""
    page = read_page(source)
    aim = _cell(cells, layout.target)
    if layout.target is not None and not aim.strip() and ours is None:
        raise BadAddress("The row does not say which of your pages is linked to.")
    try:
        target = read_page(aim) if aim.strip() else ours
    except BadAddress as bad:
        raise BadAddress(f"The page that is linked to: {bad}") from bad
    if target is None:
        raise BadAddress("The row does not say which of your pages is linked to.")
    if page.domain == target.domain:
        raise BadAddress(f"The link stands on {page.domain} itself; only other sites can be asked.")
    return Row(
        line,
        page,
        target,
        anchor=_plain(_cell(cells, layout.anchor))[:LONGEST_ANCHOR],
        nofollow=_cell(cells, layout.nofollow).strip().lower() in ("true", "yes", "1", "nofollow"),
        first_seen=_date(_cell(cells, layout.first_seen)),
    )


def _bare(cells: list[str], layout: Layout, delimiter: str) -> list[str]:
    """A row of a list without column names: one address, or two with space between."""
    if layout.target is None:
        # What looked like a delimiter stood inside an address.
        return [delimiter.join(cells)]
    return cells[0].split() if len(cells) == 1 else cells


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]+", " ", text).split())


def _date(text: str) -> dt.date | None:
    match = _DATE.match(text.strip())
    try:
        return dt.date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def _shown(cells: Sequence[str], layout: Layout) -> str:
    """What the report shows of a row: the linking page, or all of it where that is empty."""
    text = _plain(_cell(cells, layout.source)) or _plain("; ".join(cells))
    return text[:300]


def store(project: Project, report: Report, *, actor: User | None) -> Stored:
    """Store the good rows; a link that is known stays as it is. A closed case with a new link opens again."""
    domains = sorted({row.source.domain for row in report.rows})
    with transaction.atomic():
        # Two imports into one project wait for each other, so that their counts are true.
        Project.objects.select_for_update().get(pk=project.pk)
        links, cases = Backlink.objects.filter(project=project), RemovalCase.objects.filter(project=project)
        links_before, cases_before = links.count(), cases.count()
        by_domain = _cases(project, domains)
        Backlink.objects.bulk_create(
            [
                Backlink(
                    project=project,
                    case=by_domain[row.source.domain],
                    source_url=row.source.url,
                    target_url=row.target.url,
                    key=url_key(row.source.url, row.target.url),
                    anchor=row.anchor,
                    nofollow=row.nofollow,
                    first_seen=row.first_seen,
                )
                for row in report.rows
            ],
            batch_size=BATCH,
            ignore_conflicts=True,
        )
        _reopen(project)
        new = links.count() - links_before
        stored = Stored(new, len(report.rows) - new, len(domains), cases.count() - cases_before)
        audit.record(
            "links.imported",
            f"{stored.new:,} links on {stored.sites:,} sites imported into {project.name}; "
            f"{stored.known + report.twice:,} known, {len(report.rejects):,} rejected",
            actor=actor,
            object_id=project.pk,
        )
    return stored


def _cases(project: Project, domains: Sequence[str]) -> dict[str, RemovalCase]:
    """The case of each domain, made where there is none."""
    Site.objects.bulk_create(
        [Site(domain=domain) for domain in domains], batch_size=BATCH, ignore_conflicts=True
    )
    sites: list[Site] = []
    for begin in range(0, len(domains), BATCH):
        sites += Site.objects.filter(domain__in=domains[begin : begin + BATCH])
    RemovalCase.objects.bulk_create(
        [RemovalCase(project=project, site=site) for site in sites], batch_size=BATCH, ignore_conflicts=True
    )
    rows = RemovalCase.objects.filter(project=project).select_related("site")
    return {row.site.domain: row for row in rows}


def _reopen(project: Project) -> None:
    """A case that was closed because all its links had gone, and has one again."""
    still = ~Q(state__in=[LinkState.GONE, LinkState.PAGE_GONE])
    RemovalCase.objects.filter(
        project=project,
        state=CaseState.GONE,
        pk__in=Backlink.objects.filter(still, project=project).values("case"),
    ).update(state=CaseState.OPEN, closed_at=None)


def known(project: Project, report: Report) -> int:
    """How many links of the list the project has already."""
    keys = [url_key(row.source.url, row.target.url) for row in report.rows]
    links = Backlink.objects.filter(project=project)
    return sum(
        links.filter(key__in=keys[begin : begin + BATCH]).count() for begin in range(0, len(keys), BATCH)
    )
