"""Where a link leads, and what its words say of it (threats T17)."""

from __future__ import annotations

import lxml.html
import pytest

from mailbox.parsing.html import clean
from mailbox.parsing.links import Speech, destination, speech


@pytest.mark.parametrize(
    ("href", "host"),
    [
        ("https://site.example/a", "site.example"),
        ("HTTPS://SITE.example:443/a", "site.example"),
        (" \n https://si\tte.exa\nmple/a", "site.example"),
        ("https:\\\\evil.example\\@bank.example/", "evil.example"),
        ("https:evil.example/x", "evil.example"),
        ("https:////evil.example/x", "evil.example"),
        ("https://bank.example@evil.example/", "evil.example"),
        ("https://bank.example%40x@evil.example/", "evil.example"),
        ("https://bank.example\\.evil.example/", "bank.example"),
        ("https://bank.example#@evil.example/", "bank.example"),
        ("https://bank.example?@evil.example/", "bank.example"),
        ("https://%65vil.example/", "evil.example"),
        ("https://b\u0430nk.example/", "xn--bnk-6cd.example"),
        ("https://bank\u3002example/", "bank.example"),
        ("https://\uff45vil.example/", "evil.example"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://[::FFFF:7f00:1]:81/", "[::ffff:127.0.0.1]"),
        ("https://under_score.example/", "under_score.example"),
    ],
)
def test_it_finds_the_host_as_a_browser_would(href: str, host: str) -> None:
    found = destination(href)
    assert found is not None
    assert found.host.replace("[::ffff:7f00:1]", "[::ffff:127.0.0.1]") == host
    # What is written is read alike by everybody: no user, no backslash before the path.
    assert found.href.split("/")[2].split(":")[0].split("?")[0].split("#")[0] in (found.host, "[")


@pytest.mark.parametrize(
    "href",
    ["", "/a", "//x.example", "javascript:1", "ftp://x.example", "https://", "https:///", "https://a..b/",
     "https://a b.example/", "https://x.example:99999999/", "https://<x>.example/", "http://1.2.3.4.5/",
     "http://[::1/", "https://%00.example/", "https://" + "a" * 300 + ".example/"],
)  # fmt: skip
def test_it_makes_no_link_of_what_leads_nowhere_certain(href: str) -> None:
    assert destination(href) is None


@pytest.mark.parametrize(
    ("words", "host", "said"),
    [
        ("our page", "site.example", Speech.SILENT),
        ("site.example", "site.example", Speech.SAYS_IT),
        ("https://www.site.example/a/b?c", "site.example", Speech.SAYS_IT),
        ("see SITE.example.", "www.site.example", Speech.SAYS_IT),
        ("site.example", "mail.site.example", Speech.SILENT),
        ("https://bank.example/login", "evil.example", Speech.SAYS_ANOTHER),
        ("bank.example", "bank.example.evil.example", Speech.SAYS_ANOTHER),
        ("bank\u200b.exam\u00adple", "evil.example", Speech.SAYS_ANOTHER),
        ("bank\uff0eexample", "evil.example", Speech.SAYS_ANOTHER),
        ("www.google.com", "google.com.ru", Speech.SAYS_ANOTHER),
        ("evil.example or bank.example", "evil.example", Speech.SAYS_ANOTHER),
        ("b\u0430nk.example", "xn--bnk-6cd.example", Speech.SILENT),
        ("you@fernhill.example", "evil.example", Speech.SAYS_ANOTHER),
        ("127.0.0.1", "10.0.0.1", Speech.SAYS_ANOTHER),
        ("e.g. version 3.5 of it, see p.7", "site.example", Speech.SILENT),
        ("blog.github.io", "mallory.github.io", Speech.SAYS_ANOTHER),
        ("news.bbc.co.uk", "www.bbc.co.uk", Speech.SILENT),
    ],
)
def test_it_hears_what_the_words_of_a_link_say(words: str, host: str, said: Speech) -> None:
    assert speech(words, host) is said


def marks(html: str) -> list[tuple[str, str]]:
    root = lxml.html.fromstring(f"<div>{clean(html)}</div>")
    return [(m.get("class"), m.text_content()) for m in root.iter("bdi") if "host" in (m.get("class") or "")]


def test_it_shows_where_a_link_leads_where_its_words_do_not() -> None:
    assert marks('<p><a href="https://site.example/a">our page</a></p>') == [("host", "site.example")]
    assert marks('<p><a href="https://site.example/a">site.example/a</a></p>') == []
    assert marks('<a href="https://b\u0430nk.example/">b\u0430nk.example</a>') == [
        ("host", "xn--bnk-6cd.example")
    ]
    assert marks('<a href="mailto:mira@fernhill.example?subject=x">write to her</a>') == [
        ("host", "mira@fernhill.example")
    ]
    assert marks('<a href="mailto:mira@fernhill.example">mira@fernhill.example</a>') == []
    assert marks('<a href="https://site.example/"></a>') == []


def test_it_says_so_where_the_words_name_another_host() -> None:
    assert marks('<a href="https://evil.example/x"><b>bank</b>.example</a>') == [
        ("host odd", "goes to evil.example")
    ]
    assert marks(
        '<a href="https://evil.example/x"><img alt="bank.example" src="https://x.example/"></a>'
    ) == [("host odd", "goes to evil.example")]
    assert marks('<a href="mailto:eve@evil.example">help@bank.example</a>') == [
        ("host odd", "goes to eve@evil.example")
    ]


@pytest.mark.parametrize(
    "forged",
    [
        '<bdi class="host">bank.example</bdi>',
        "<bdi class=host\x0c>bank.example</bdi>",
        "<svg><style><bdi class=host>bank.example</bdi></style></svg>",
        "<xmp><bdi class=host>bank.example</bdi></xmp>",
        "<math><style><bdi class='host odd'>goes to bank.example</bdi>",
    ],
)
def test_it_lets_nobody_write_such_a_mark(forged: str) -> None:
    assert (
        marks(f'<p><a href="https://evil.example/">x {forged}</a>{forged}</p>').count(
            ("host", "bank.example")
        )
        == 0
    )


def test_it_changes_nothing_when_it_cleans_again() -> None:
    once = clean('<p><a href="https://evil.example/x">bank.example</a> <a href="https://a.example">b</a></p>')
    assert clean(once) == once
