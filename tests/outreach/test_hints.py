"""What is better changed in a text: length, wording, marks and money. Hints, each with its place."""

from __future__ import annotations

import pytest

from outreach import content

LONG = "word " * 201


def codes(subject: str, text: str) -> list[tuple[str, str, int]]:
    return [(hint.code, hint.field, hint.line) for hint in content.warnings(subject, text, None)]


@pytest.mark.parametrize(
    ("subject", "text", "found"),
    [
        ("A map for you", "Hello,\n\nour map has four huts more. Is it of use? It is free!\n", []),
        ("x" * 60, "Hello", []),
        ("x" * 61, "Hello", [("long_subject", "subject", 0)]),
        ("A map for {{ a_field_with_a_very_long_name_that_nobody_would_see_in_a_mail }}", "Hello", []),
        ("A map", LONG, [("long_text", "body", 0)]),
        ("A map", "word " * 200, []),
        ("A map", "{% if company and first_name %}" + "word " * 199 + "{% endif %}", []),
        ("Dear friend", "Hello", [("wording", "subject", 0)]),
        ("A map", "Hello,\n\none\ntwo, 100% guaranteed", [("wording", "body", 3)]),
        ("A map", "Click here", [("wording", "body", 1)]),
        ("A map", "The fact nowadays, and endear friendships", []),
        ("A map!!!", "Hello", [("exclaiming", "subject", 0)]),
        ("A map", "Hello!\n\nReally?!?!", [("exclaiming", "body", 2)]),
        ("A map", "Hello! Good!", []),
        ("A map", "Earn $$$ here", [("money", "body", 1)]),
        ("A map", "It costs $50, or €1,200.", []),
        ("A map", "Win $1,000,000", [("money", "body", 1)]),
        ("A map", "See https://site.example/click-here/$$$/a!!!b", []),
        ("A map", "one\nTHIS MAPS SHOWS HUTS", [("shouting", "body", 2)]),
    ],
)
def test_it_hints(subject: str, text: str, found: list[tuple[str, str, int]]) -> None:
    assert codes(subject, text) == found


def test_it_names_what_it_dislikes_once_of_a_kind() -> None:
    hints = content.warnings("A map", "Act now. Click here. Money back guarantee.", None)
    assert [hint.sentence for hint in hints] == ["Filters dislike “Act now”."]
