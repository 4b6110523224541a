"""Backlink lists of every make become cases by site, and each row that cannot is named with its reason."""

from __future__ import annotations

import io
import time

import openpyxl
import pytest

from accounts.models import Workspace
from outreach.links import importing
from outreach.links.addresses import BadAddress, read_page
from outreach.links.importing import ImportRefused, NoColumn
from outreach.models import Backlink, CaseState, LinkState, Project, RemovalCase, Site
from tests import factories

GSC_LATEST = (
    "Linking page,Last crawled\nhttps://one.example/a,2026-11-03\nhttps://www.two.example/b,2026-11-04\n"
)
GSC_SITES = "Site,Linking pages,Target pages\none.example,88,1\ntwo.example,2,1\n"
AHREFS = (
    "Referring page title\tReferring page URL\tDomain rating\tTarget URL\tAnchor\tNofollow\tFirst seen\n"
    "Tents\thttps://one.example/a\t12\thttps://fernhill.example/\tcheap tents\ttrue\t2026-11-03 10:22:11\n"
)
SEMRUSH = (
    "Page ascore,Source title,Source url,Target url,Anchor,Nofollow,First seen,Last seen\n"
    "4,Tents,https://one.example/a,https://fernhill.example/x,cheap tents,false,2026-10-01,2026-11-01\n"
)


def read(text: str | bytes, **more: str) -> importing.Report:
    data = text if isinstance(text, bytes) else text.encode()
    return importing.read(data, **{"website": "fernhill.example", **more})


@pytest.fixture
def project(in_ws: Workspace) -> Project:
    return factories.make_project("Clean-up", website="fernhill.example")


def test_it_reads_search_consoles_list_without_targets() -> None:
    found = read(GSC_LATEST)
    assert found.layout.name == "Google Search Console, linking pages"
    assert [(row.source.domain, row.target.url) for row in found.rows] == [
        ("one.example", "https://fernhill.example/"),
        ("two.example", "https://fernhill.example/"),
    ]


def test_it_reads_search_consoles_list_of_sites() -> None:
    found = read(GSC_SITES)
    assert found.layout.domains
    assert [row.source.url for row in found.rows] == ["https://one.example/", "https://two.example/"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_it_reads_ahrefs_list_in_its_encodings(encoding: str) -> None:
    found = read(AHREFS.encode(encoding))
    assert found.layout.name == "Ahrefs"
    row = found.rows[0]
    assert (row.source.url, row.target.url) == ("https://one.example/a", "https://fernhill.example/")
    assert (row.anchor, row.nofollow, str(row.first_seen)) == ("cheap tents", True, "2026-11-03")


def test_it_reads_semrushs_list() -> None:
    found = read(SEMRUSH)
    assert found.layout.name == "Semrush"
    assert (found.rows[0].target.url, found.rows[0].nofollow) == ("https://fernhill.example/x", False)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffSource URL;Target URL\r\nhttps://one.example/a;https://fernhill.example/\r\n",
        "Source URL,Target URL\rhttps://one.example/a,https://fernhill.example/\r",
        "https://one.example/a,https://fernhill.example/",
        "https://one.example/a https://fernhill.example/",
        "https://one.example/a\nhttps://one.example/a\n",
        "one.example/a",
    ],
)
def test_it_reads_plain_lists_with_marks_semicolons_and_old_line_ends(text: str) -> None:
    found = read(text)
    assert [row.source.domain for row in found.rows] == ["one.example"]
    assert found.rows[0].target.domain == "fernhill.example"


def test_it_keeps_a_comma_inside_a_pasted_address() -> None:
    found = read("https://one.example/a,b\nhttps://two.example/c\n")
    assert [row.source.url for row in found.rows] == ["https://one.example/a,b", "https://two.example/c"]


def test_it_reads_a_workbook() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Source URL", "Target URL"])  # type: ignore[union-attr]
    book.active.append(["https://one.example/a", "https://fernhill.example/"])  # type: ignore[union-attr]
    data = io.BytesIO()
    book.save(data)
    assert read(data.getvalue()).rows[0].source.domain == "one.example"


def test_it_takes_columns_that_are_named_by_hand() -> None:
    text = "Quelle,Ziel\nhttps://one.example/a,https://fernhill.example/\n"
    with pytest.raises(NoColumn) as wrong:
        read(text)
    assert wrong.value.columns == ["Quelle", "Ziel"]
    assert read(text, source_column="quelle", target_column="Ziel").rows[0].source.domain == "one.example"


@pytest.mark.parametrize("text", ["", "   \n", "Target page,Incoming links\nhttps://fernhill.example/,3\n"])
def test_it_refuses_what_holds_no_linking_pages(text: str) -> None:
    with pytest.raises((ImportRefused, NoColumn)):
        read(text)


def test_it_asks_for_the_website_where_the_list_has_no_targets() -> None:
    with pytest.raises(ImportRefused, match="no website"):
        read(GSC_LATEST, website="")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("javascript:alert(1)", "no address of a web page"),
        ("data:text/html,x", "no address of a web page"),
        ("ftp://one.example/", "no address of a web page"),
        ("https://good.example@evil.example/", "user name"),
        ("https://user:pass@evil.example/", "user name"),
        ("http://192.0.2.7/x", "bare number"),
        ("http://[2001:db8::1]/", "bare number"),
        ("http://localhost/", "not the name of a site"),
        ("http://one.example:99999/", "cannot be read"),
        ("https://one.example/a b", "space"),
        ("=HYPERLINK(\"http://x.example\")", "not the name of a site"),
        ("https://one.example/" + "a" * 3000, "characters"),
        ("n/a", "not the name of a site"),
    ],
)  # fmt: skip
def test_it_refuses_what_is_no_page_of_a_site(address: str, words: str) -> None:
    with pytest.raises(BadAddress, match=words):
        read_page(address)


def test_it_takes_international_names_and_ports() -> None:
    page = read_page("HTTPS://Bücher.Beispiele.example:8443/Ä?q=1#part")
    assert page.domain == "beispiele.example"
    assert page.url == "https://xn--bcher-kva.beispiele.example:8443/Ä?q=1"


def test_it_groups_by_registrable_domain_and_counts_what_it_knows(project: Project) -> None:
    text = (
        "Source URL,Target URL\n"
        "https://a.shop.example.co.uk/1,https://fernhill.example/\n"
        "https://b.example.co.uk/2,https://fernhill.example/\n"
        "https://b.example.co.uk/2,https://fernhill.example/\n"
        "https://fernhill.example/own,https://fernhill.example/\n"
    )
    found = read(text)
    assert (found.twice, len(found.rejects)) == (1, 1)
    assert "itself" in found.rejects[0].reason
    stored = importing.store(project, found, actor=None)
    assert (stored.new, stored.known, stored.sites, stored.new_sites) == (2, 0, 1, 1)
    assert [site.domain for site in Site.objects.all()] == ["example.co.uk"]
    again = importing.store(project, read(text), actor=None)
    assert (again.new, again.known, again.new_sites) == (0, 2, 0)
    assert Backlink.objects.count() == 2


def test_it_opens_a_closed_case_that_has_a_new_link(project: Project) -> None:
    importing.store(project, read("https://one.example/a"), actor=None)
    Backlink.objects.update(state=LinkState.GONE)
    RemovalCase.objects.update(state=CaseState.GONE)
    importing.store(project, read("https://one.example/a"), actor=None)
    assert RemovalCase.objects.get().state == CaseState.GONE
    importing.store(project, read("https://one.example/b"), actor=None)
    assert RemovalCase.objects.get().state == CaseState.OPEN


def test_it_keeps_the_good_rows_of_ten_thousand_with_broken_ones_in_seconds(project: Project) -> None:
    lines = ["Source URL,Target URL,Anchor"]
    for number in range(10_000):
        if number % 100 == 7:
            lines.append(f'"https://site{number}.example/open,https://fernhill.example/,words')
        elif number % 100 == 8:
            lines.append("javascript:alert(1),https://fernhill.example/,words")
        elif number % 100 == 9:
            lines.append(f"https://site{number}.example/,https://fernhill.example/,a,surplus,cells")
        else:
            page = f"https://site{number % 900}.example/{number}"
            lines.append(f'"{page}",https://fernhill.example/,"say ""hi"" {number}"')
    begin = time.monotonic()
    found = read("\n".join(lines))
    stored = importing.store(project, found, actor=None)
    assert time.monotonic() - begin < 30
    assert stored.new == 9_700
    assert len(found.rejects) == 300
    assert {reject.reason for reject in found.rejects} == {
        "A quotation mark opens in this row and never closes.",
        "“javascript:” is no address of a web page. http and https are.",
        "The row has more fields than the first row has names.",
    }
    assert found.rejects[0].line == 9
    assert Backlink.objects.count() == 9_700
