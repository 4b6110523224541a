"""Rejected rows of an import: grouped by reason for the screen, and as a file to mend and bring back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.http import HttpResponse

from accounts.spreadsheet import as_csv
from outreach.importing import REJECT_COLUMNS, Reject

MOST_SHOWN = 200


def groups_of(rejects: Sequence[Reject]) -> list[tuple[str, int, list[Reject]]]:
    """(reason, how many, rows), the most frequent first; at most MOST_SHOWN rows in all."""
    counts = Counter(reject.reason for reject in rejects)
    groups: dict[str, list[Reject]] = {reason: [] for reason, _ in counts.most_common()}
    for reject in rejects[:MOST_SHOWN]:
        groups[reject.reason].append(reject)
    return [(reason, counts[reason], rows) for reason, rows in groups.items() if rows]


def file_of(rejects: Sequence[Reject]) -> HttpResponse:
    """As CSV. What a spreadsheet would run as a formula gets an apostrophe, wherever it cuts the line."""
    rows = [(reject.line, reject.text, reject.reason) for reject in rejects]
    return _download([("Row", "Value", "Why"), *rows])


def whole_file_of(rejects: Sequence[Reject], headers: Sequence[str]) -> HttpResponse:
    """As CSV with the list's own columns and cells, so that it can be mended and brought back."""
    width = max([len(headers), *(len(reject.cells) for reject in rejects)])
    names = [*headers, *[""] * (width - len(headers))] if headers else [""] * width
    rows = [
        (*reject.cells, *[""] * (width - len(reject.cells)), reject.line, reject.reason) for reject in rejects
    ]
    return _download([(*names, *REJECT_COLUMNS), *rows])


def _download(rows: Sequence[Sequence[object]]) -> HttpResponse:
    content = b"".join(as_csv(rows))
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="rejected-rows.csv"'
    return answer
