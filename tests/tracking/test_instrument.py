"""Instrumenting changes link targets and adds one image, and nothing else."""

from __future__ import annotations

import re
import uuid
from html import escape
from urllib.parse import urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Workspace
from tracking.instrument import instrument
from tracking.models import LinkTarget
from tracking.tokens import opt_out_url, pixel_url, read_click

WS, KEY = uuid.uuid4(), uuid.uuid4()
COUNTED = re.compile(r"http://localhost:8000/c/([\w-]+)")


def run(html: str, *, opens: bool = True, clicks: bool = True) -> str:
    return instrument(html, workspace_id=WS, key=KEY, opens=opens, clicks=clicks)


def targets(html: str) -> list[tuple[int, str]]:
    return [(found.link_no, found.target()) for found in map(read_click, COUNTED.findall(html))]


def without(html: str, *raw: str) -> str:
    """The HTML before: the pixel taken out, and each counted address replaced by what stood there."""
    html = re.sub(r'<img src="http://localhost:8000/o/[\w-]+" width="1" height="1" alt="">', "", html)
    given_back = iter(raw)
    return COUNTED.sub(lambda _: next(given_back), html)


def test_it_wraps_links_and_ends_the_body_with_the_pixel() -> None:
    html = '<html><body><p><a href="https://a.example/?x=1&amp;y=2">Guide</a></p></body></html>'
    done = run(html)
    assert targets(done) == [(1, "https://a.example/?x=1&y=2")]
    assert done.endswith(f'<img src="{pixel_url(WS, KEY)}" width="1" height="1" alt=""></body></html>')
    assert without(done, "https://a.example/?x=1&amp;y=2") == html


def test_it_puts_the_pixel_last_where_there_is_no_body() -> None:
    assert run("<p>Hello</p>").startswith("<p>Hello</p><img ")
    assert run("").startswith("<img ")


def test_it_leaves_no_pixel_where_opens_are_off_and_no_wrap_where_clicks_are_off() -> None:
    html = '<a href="https://a.example/">Guide</a>'
    assert "/o/" not in run(html, opens=False)
    assert "/c/" not in run(html, clicks=False)
    assert run(html, opens=False, clicks=False) == html


def test_it_leaves_alone_what_is_no_counted_link() -> None:
    html = "".join(
        f"<a {attribute}>here</a>"
        for attribute in (
            'href="mailto:a@b.example"',
            'href="#top"',
            'href="tel:+1"',
            'href="/relative"',
            'href="javascript:alert(1)"',
            'href="https://u:p@a.example/"',
            "href",
            'name="x"',
            'data-href="https://a.example/"',
            f'href="{opt_out_url(WS, KEY)}"',
        )
    )
    assert run(html, opens=False) == html


def test_it_shows_a_reader_no_address_and_leads_through_another() -> None:
    for seen in (
        "https://a.example/x",
        "a.example",
        "see <b>www.a.example</b>/x",
        "A.EXAMPLE &middot; guide",
    ):
        html = f'<a href="https://a.example/x">{seen}</a>'
        assert run(html, opens=False) == html
    assert targets(run('<a href="https://a.example/x">our guide. Enjoy</a>')) == [(1, "https://a.example/x")]


def test_it_counts_a_link_around_an_image() -> None:
    assert targets(run('<a href="https://a.example/"><img src="cid:1" alt=""></a>'))


def test_it_reads_every_spelling_of_an_attribute() -> None:
    html = (
        "<A class='x' HREF='https://a.example/1'>one</A>"
        "<a href=https://a.example/2>two</a>"
        '<a\n  title="href=&quot;https://x.example/&quot; >"\n  href = "https://a.example/3" href="https://no.example/">three</a>'
        '<map><area href="https://a.example/4" alt="four"></map>'
        '<a href=" https://a.example/5 ">five</a>'
    )
    done = run(html)
    assert targets(done) == [(n, f"https://a.example/{n}") for n in range(1, 6)]
    raws = [f"https://a.example/{n}" for n in range(1, 5)]
    assert without(done, *raws, " https://a.example/5 ") == html


def test_it_does_not_look_into_comments_or_scripts() -> None:
    html = (
        '<!-- <a href="https://a.example/">x</a> --><script>"<a href=\'https://a.example/\'>x</a>"</script>'
    )
    assert run(html, opens=False) == html


def test_it_keeps_a_long_target_out_of_the_address(in_ws: Workspace) -> None:
    long = "https://a.example/?" + "q" * 1600
    done = instrument(f'<a href="{long}">x</a>', workspace_id=in_ws.pk, key=KEY, opens=False, clicks=True)
    assert len(done) < 300
    assert targets(done) == [(1, long)]
    assert LinkTarget.objects.count() == 1


def test_it_survives_a_link_behind_the_end() -> None:
    html = '<body></body><a href="https://a.example/">x</a> tail'
    assert without(run(html), "https://a.example/") == html


# Pieces that a mail may be made of; a link is (text before, raw target, counted).
_text = st.text(
    alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="<>&.:w\r"), max_size=20
)
_path = st.text(alphabet="abcXYZ019/-_~?=%+,;äé", max_size=30)
_link = st.builds(
    lambda scheme, path, quote: (scheme, f"{scheme}a.example/{path}", quote),
    st.sampled_from(["https://", "http://", "mailto:x@", "#", "/", "ftp://"]),
    _path,
    st.sampled_from(["'", '"']),
)
_piece = st.one_of(
    _text,
    _link,
    st.sampled_from(
        [
            "<br>",
            "<p class=x>",
            "</p>",
            "&amp;",
            "\n",
            "<img src='cid:1' alt='&lt;a href=&quot;'>",
            "<!-- x -->",
        ]
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_piece, max_size=12), st.booleans(), st.booleans())
def test_it_keeps_every_other_byte(
    pieces: list[str | tuple[str, str, str]], opens: bool, clicks: bool
) -> None:
    html, raw = "", []
    for piece in pieces:
        if isinstance(piece, str):
            html += piece
            continue
        scheme, target, quote = piece
        html += f"<a rel=x href={quote}{escape(target)}{quote}>go</a>"
        if scheme.startswith("http"):
            raw.append(target)
    done = run(html, opens=opens, clicks=clicks)
    assert [target for _, target in targets(done)] == (raw if clicks else [])
    assert without(done, *[escape(each) for each in raw]) == html
    assert done.count("/o/") - html.count("/o/") == int(opens)
    assert run(done, opens=opens, clicks=clicks) == done


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_it_takes_any_text(html: str) -> None:
    done = run(html, clicks=True, opens=True)
    assert len(done) > len(html)
    assert urlsplit(pixel_url(WS, KEY)).path in done
