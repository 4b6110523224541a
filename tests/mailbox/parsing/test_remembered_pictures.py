"""Pictures of strangers: kept without being loaded, shown only from an address of our own (threats T16)."""

from __future__ import annotations

import pytest

from mailbox.parsing.html import clean, keep, pictures
from mailbox.parsing.marking import MAX_PICTURES

PICTURE = '<p>a <img src="https://pics.example/a.png?b=1&amp;c" alt="Our hut" width="300" height="20px"></p>'


def ours(address: str) -> str:
    return f"https://ours.example/pictures/{address.rpartition('/')[2].partition('?')[0]}/"


def test_it_remembers_a_picture_without_loading_it() -> None:
    stored = keep(PICTURE)
    assert " src=" not in stored
    assert 'data-picture="https://pics.example/a.png?b=1&amp;c"' in stored
    assert pictures(stored) == pictures(PICTURE) == ["https://pics.example/a.png?b=1&c"]
    assert keep(stored) == stored


def test_it_shows_the_words_of_a_picture_until_somebody_asks() -> None:
    for html in (PICTURE, keep(PICTURE)):
        assert clean(html) == '<p>a <bdi class="picture">Our hut</bdi></p>'
        assert clean(html, picture=ours) == (
            '<p>a <img src="https://ours.example/pictures/a.png/" alt="Our hut" width="300" height="20"></p>'
        )
        assert clean(html, picture=lambda address: None) == clean(html)


@pytest.mark.parametrize(
    "tracker",
    [
        '<img src="https://t.example/o" width="1" height="1">',
        '<img src="https://t.example/o" width=0>',
        '<img src="https://t.example/o" height=" 1px ">',
        '<img src="https://t.example/o" style="width:1px;height:1px">',
        '<img src="https://t.example/o" style="color:red; max-height : 0 !important">',
        '<img src="https://t.example/o" style="DISPLAY:none">',
        '<img src="https://t.example/o" style="opacity:0.0">',
        '<img src="https://t.example/o" style="visibility: hidden">',
    ],
)
def test_it_asks_for_no_picture_that_cannot_be_seen(tracker: str) -> None:
    for html in (tracker, keep(tracker)):
        assert pictures(html) == []
        assert "t.example" not in clean(html, picture=lambda address: address)


def test_it_takes_a_size_that_only_begins_like_a_tracker_for_one_to_see() -> None:
    html = '<img src="https://t.example/o" width="100%" style="width:100px;line-height:1;opacity:0.5">'
    assert pictures(html) == ["https://t.example/o"]


@pytest.mark.parametrize(
    "none",
    [
        "<img src=cid:a>",
        "<img src='data:image/png;base64,AA'>",
        "<img src=/a.png>",
        "<img src=javascript:x>",
        "<img src='//x.example/a'>",
        "<image src='https://x.example/a'>",
        "<svg><image href='https://x.example/a'/></svg>",
        "<svg><style><img src='https://x.example/a'></style></svg>",
        "<math><mtext><table><mglyph><style><img src='https://x.example/a'>",
        "<noscript><img src='https://x.example/a'></noscript>",
        "<xmp><img src='https://x.example/a'></xmp>x",
        "<p data-picture='https://x.example/a' srcset='https://x.example/a'>x</p>",
    ],
)
def test_it_knows_pictures_by_an_address_of_the_web_alone(none: str) -> None:
    said = clean(none, picture=lambda address: ours("/a"))
    assert "<img" not in said
    assert "data-picture" not in keep(none)


def test_it_asks_for_so_many_pictures_and_no_more() -> None:
    many = "".join(f"<img src='https://x.example/{n}' alt=a>" for n in range(MAX_PICTURES + 5))
    assert len(pictures(many)) == MAX_PICTURES
