"""Choices in a text: who gets which, what stops a launch, and that no brace of them ever leaves."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from accounts.models import Workspace
from outreach import readiness, rendering, spinning, templating
from outreach.spinning import choose, first, picked, variants
from tests.factories import make_campaign, make_contact

KNOWN = {"first_name", "company"}


def checked(text: str, *, html: bool = False) -> list[tuple[str, int]]:
    return [(row.code, row.line) for row in templating.check(text, known=KNOWN, html=html)]


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("{Hello|Hi} there", ["Hello there", "Hi there"]),
        ("{ Hello | Hi } there", ["Hello there", "Hi there"]),
        ("{{{ first_name }}|friend}", ["{{ first_name }}", "friend"]),
        ("{friend|{{ first_name }}}", ["friend", "{{ first_name }}"]),
        ("{Hi|Good {morning|day}}", ["Hi", "Good morning", "Good day"]),
        ("{a|b} {c|d|e}", ["a c", "b d", "b e"]),
        ('{{ name | default: "a|b" }}', ['{{ name | default: "a|b" }}']),
        ("{first name}", ["{first name}"]),
        (r"\{a\|b\} {c\|d|e}", ["{a|b} c|d", "{a|b} e"]),
        ("Tea | coffee", ["Tea | coffee"]),
    ],
)
def test_it_tells_choices_from_fields_placeholders_and_text(text: str, ways: list[str]) -> None:
    assert variants(text, html=False) == ways


def test_it_leaves_tags_of_html_alone(in_ws: Workspace) -> None:
    link = '<a href="https://x.example/{a|b}">{one|<b>two</b>}</a>'
    assert variants(link, html=True) == [
        '<a href="https://x.example/{a|b}">one</a>',
        '<a href="https://x.example/{a|b}"><b>two</b></a>',
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello\n{Hi|Hello there", [("choice", 2)]),
        ("Hi|Hello} there", [("choice", 1)]),
        ("A bar | here\nand } there", []),
        ("{Hi|}", [("choice", 1)]),
        ("{Hi| }", [("choice", 1)]),
        ("{a|{b|{c|d}}}", [("choice", 1)]),
        ("{" + "|".join("x" * 31) + "}", [("choice", 1)]),
        ("{" + "|".join("x" * 30) + "}", []),
        ("x\n{Hi|Hello [name]}", [("placeholder", 2)]),
        ("{Hi|Hello {{ frist_name }}}", [("unknown_field", 1)]),
        ("{Hi|{% if first_name %}Hello}{% endif %}", [("liquid", 1)]),
        ("{% if first_name %}{Hi{% endif %}|Hello{% if company %}}{% endif %}", [("liquid", 1)]),
        ("{% if first_name %}{Hi|Hello}{% endif %}", []),
        ("{Hi|{% if first_name %}Hello{% else %}Dear{% endif %}} you", []),
        ("{first name} and {a|b}", [("placeholder", 1)]),
    ],
)
def test_it_finds_in_any_option_what_stops_a_launch(text: str, found: list[tuple[str, int]]) -> None:
    assert list(dict.fromkeys(checked(text))) == found


def test_tags_have_to_end_in_the_option_they_begin_in() -> None:
    assert checked("<p>{<b>Hi</b>|Hello}</p>", html=True) == []
    assert checked("<p>{<b>Hi|Hello</b>}</p>", html=True) == [("choice", 1)]
    assert checked("<p>Hi</p><p>{One</p><p>Two|Three}</p>", html=True) == [("choice", 2)]


def test_each_person_gets_theirs_and_all_options_are_gone_through() -> None:
    step, text = uuid.uuid4(), "{a|b|c}"
    people = [uuid.uuid4() for _ in range(600)]
    chosen = [choose(text, picked(person, step, part="body"), html=False) for person in people]
    assert chosen == [choose(text, picked(person, step, part="body"), html=False) for person in people]
    assert min(Counter(chosen)[option] for option in "abc") > 130
    turns = [choose(text, picked(people[0], step, part="body", turn=turn), html=False) for turn in range(3)]
    assert sorted(turns) == ["a", "b", "c"]


def test_choices_of_one_text_and_of_two_steps_do_not_hang_together() -> None:
    person, step = uuid.uuid4(), uuid.uuid4()
    text = "{a|b}" * 40
    said = choose(text, picked(person, step, part="body"), html=False)
    assert len(set(said)) == 2
    assert said != choose(text, picked(person, uuid.uuid4(), part="body"), html=False)
    assert said != choose(text, picked(person, step, part="subject"), html=False)


def test_preview_and_mail_make_the_same_choice_and_values_make_none(in_ws: Workspace) -> None:
    campaign = make_campaign(
        steps=[("{One|Two|Three} for {{ company }}", "<p>{Hi|<b>Hello</b>|Dear} {{ first_name }}</p>" * 12)]
    )
    someone = make_contact(first_name="{x|y}", company="{up|down}")
    step = campaign.steps.get()
    assert campaign.mailbox is not None
    shown = rendering.preview(step, someone)
    sent = rendering.render_step(
        step, someone, mailbox=campaign.mailbox, campaign=campaign, key=uuid.uuid4(), clicks=True
    )
    assert shown.subject == sent.subject
    assert shown.text.partition("-- ")[0] == sent.text.partition("-- ")[0]
    assert shown.subject.endswith("for {up|down}")
    assert "{x|y}" in sent.text
    assert len({line.split()[0] for line in shown.text.split("\n") if "{x|y}" in line}) > 1


def test_a_follow_up_keeps_the_subject_that_was_chosen(in_ws: Workspace) -> None:
    campaign = make_campaign(steps=[("{A|B|C|D|E|F|G|H} map", "<p>x</p>"), ("", "<p>y</p>")])
    someone = make_contact()
    one, two = (rendering.preview(step, someone).subject for step in campaign.steps.all())
    assert two == f"Re: {one}"


def test_a_blank_in_any_option_holds_the_person_back(in_ws: Workspace) -> None:
    people = [make_contact(f"p{n}@ridge.example", company="") for n in range(6)]
    campaign = make_campaign(steps=[("A map", "<p>{Hi|Hello|Dear} {you|{{ company }}}</p>")], contacts=people)
    found = readiness.readiness(campaign)
    assert [row.reason for row, _ in found.held_back] == ["blank:company"] * 6


def test_hints_and_false_answers_are_looked_for_in_each_option(in_ws: Workspace) -> None:
    campaign = make_campaign(
        steps=[("{A map|Re: your map}", "<p>{Hello|Act now}</p>")], contacts=[make_contact()]
    )
    found = readiness.readiness(campaign)
    assert [row.code for row in found.problems] == ["pretends"]
    assert [row.code for row in found.warnings] == ["wording"]


SIGNS = ["{", "|", "}", "{{ first_name }}", "{% if company %}", "{% endif %}", "\\{", "\\|", "\\}", "<b>",
         "</b>", "<p>", "</p>", " ", "\n", "word", "é", "&nbsp;", "[x]"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(SIGNS) | st.text(max_size=4), max_size=24).map("".join)
OPTIONS = st.recursive(
    st.sampled_from(["one", "two words", "{{ first_name }}", "\\{", "\\|", "<b>x</b>", "é"]),
    lambda inner: st.lists(inner, min_size=2, max_size=4).map(lambda of: " {" + "|".join(of) + "} "),
    max_leaves=6,
)


@given(text=TEXTS, html=st.booleans(), ids=st.tuples(st.uuids(), st.uuids()))
@settings_of(max_examples=400, deadline=None)
def test_a_text_without_faults_leaves_no_mark_of_a_choice(
    text: str, html: bool, ids: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """Whatever is written: the same each time, and what is chosen holds no choice any more."""
    pick = picked(*ids, part="body")
    said = choose(text, pick, html=html)
    assert said == choose(text, pick, html=html)
    assert all(len(row) == len(text) for row in spinning.in_place(text, html=html))
    if not spinning.has_choices(text, html=html):
        return
    if not spinning.faults(text, html=html) and "\\" not in text:
        assert not spinning.has_choices(said, html=html)


@given(parts=st.lists(OPTIONS, min_size=1, max_size=4), ids=st.tuples(st.uuids(), st.uuids()))
@settings_of(max_examples=300, deadline=None)
def test_every_piece_of_every_option_stands_in_one_of_the_variants(
    parts: list[str], ids: tuple[uuid.UUID, uuid.UUID]
) -> None:
    text = " and ".join(parts)
    ways = " ".join(variants(text, html=True))
    for turn in range(4):
        said = choose(text, picked(*ids, part="body", turn=turn), html=True)
        assert all(word in ways for word in said.split())
    for option, _ in spinning.options(text, html=True):
        assert option.strip() in ways or spinning.choose(option, first, html=True).strip() in ways
