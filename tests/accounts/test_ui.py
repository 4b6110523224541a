"""The template tags that every page uses."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template, TemplateSyntaxError
from django.utils import timezone

from accounts.templatetags import ui

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))


def shown(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


def test_it_draws_an_icon_hidden_from_readers_unless_it_is_named() -> None:
    assert 'class="i i-s" aria-hidden="true"' in shown('{% icon "trash" "s" %}')
    assert 'role="img" aria-label="Bin &amp; more"' in shown(
        '{% icon "trash" label=name %}', name="Bin & more"
    )
    assert shown('{% icon "trash" %}').count("sprite.svg#trash") == 1


def test_it_refuses_an_icon_mark_or_tone_that_is_not_there() -> None:
    for source in ('{% icon "no-such-icon" %}', '{% mark "no-such" %}', '{% state "z" "quiet" "Held" %}'):
        with pytest.raises(TemplateSyntaxError):
            shown(source)


def test_it_has_every_listed_icon_in_the_sprite_and_every_mark_in_the_file() -> None:
    sprite = (settings.BASE_DIR / "static" / ui.SPRITE).read_text()
    assert set(re.findall(r'<symbol id="([^"]+)"', sprite)) == ui.ICONS
    marks = (settings.BASE_DIR / "static/status.svg").read_text()
    assert set(re.findall(r'<symbol id="([^"]+)"', marks)) == ui.MARKS


@pytest.mark.parametrize("path", TEMPLATES, ids=[str(p.relative_to(settings.BASE_DIR)) for p in TEMPLATES])
def test_it_uses_only_icons_that_are_there_and_no_inline_code(path: Path) -> None:
    text = path.read_text()
    for name in re.findall(r'{% icon "([^"]+)"', text):
        assert name in ui.ICONS
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert not re.search(r"<style|\sstyle=|\son(click|load|submit|change)=", text)


def test_it_shows_a_state_with_its_words() -> None:
    page = shown('{% state "g" "replied" words pill=True %}', words="<Interested>")
    assert 'class="st g pill"' in page
    assert "status.svg#replied" in page
    assert "&lt;Interested&gt;" in page
    assert 'class="vh"' in shown('{% state "g" "quiet" "Held" hide=True %}')


@pytest.mark.parametrize(
    ("steps", "title", "classes"),
    [
        ("", "Nothing sent yet", ["", "", "", "", ""]),
        ("accepted", "Accepted", ["sent", "", "", "", ""]),
        ("accepted opened", "Accepted, Opened (may be automatic)", ["on", "", "weak", "", ""]),
        ({"accepted", "replied"}, "Accepted, Replied", ["on", "", "", "", "on"]),
        ("accepted bounced", "Bounced", ["stop", "", "", "", ""]),
        ("doubt", "Outcome not known", ["ask", "", "", "", ""]),
        (0, "Nothing sent yet", ["", "", "", "", ""]),
        (4, "Accepted, No bounce after 72 h, Clicked", ["on", "on", "", "on", ""]),
        (None, "Nothing sent yet", ["", "", "", "", ""]),
    ],
)  # fmt: skip
def test_it_draws_no_more_evidence_than_there_is(steps: object, title: str, classes: list[str]) -> None:
    page = shown("{% evidence steps %}", steps=steps)
    assert f"<title>{title}</title>" in page
    assert re.findall(r'rx="1" class="([^"]*)"', page) == classes


def test_it_is_exact_within_a_week_and_gives_the_date_after() -> None:
    now = timezone.now().replace(hour=12)
    assert re.search(r">\d\d:\d\d</time>", shown("{{ at|when }}", at=timezone.now()))
    assert re.search(
        r">\d+ [A-Z][a-z]{2} \d\d:\d\d</time>", shown("{{ at|when }}", at=now - timedelta(days=3))
    )
    assert re.search(
        r">\d+ [A-Z][a-z]{2}( \d{4})?</time>", shown("{{ at|when }}", at=now - timedelta(days=30))
    )
    assert f" {now.year - 2}</time>" in shown("{{ at|when }}", at=now - timedelta(days=731))
    assert shown("{{ at|when }}{{ at|ago }}{{ at|exact }}{{ at|day }}", at=None) == ""


def test_it_says_how_long_ago() -> None:
    now = timezone.now()
    assert ">now<" in shown("{{ at|ago }}", at=now)
    assert ">5 min<" in shown("{{ at|ago }}", at=now - timedelta(minutes=5, seconds=2))
    assert ">3 days<" in shown("{{ at|ago }}", at=now - timedelta(days=3))


def test_it_counts_in_words() -> None:
    assert shown('{{ n|plural:"mail" }}', n=1) == "1 mail"
    assert shown('{{ n|plural:"mail" }}', n=1204) == "1,204 mails"
    assert shown('{{ n|plural:"reply,replies" }}', n=0) == "0 replies"
    assert shown("{{ n|whole:m }}", n=21, m=112) == "21 of 112"


def test_it_gives_a_person_steady_initials() -> None:
    assert shown("{{ 'mira'|initials }}") == "Mi"
    assert shown("{% avatar name %}", name="Mira") == shown("{% avatar name %}", name="Mira")
    assert ">?<" in shown("{% avatar name %}", name="")
