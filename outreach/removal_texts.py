"""The preset text of a project's removal requests; everybody may change it before the first one leaves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    subject: str
    body: str
    wait_days: int = 0


def presets(website: str) -> tuple[Preset, ...]:
    """A request and two reminders. `website` is the domain the links point to."""
    ours = website or "our site"
    return (
        Preset(
            f'Links on {{{{ site | default: "your site" }}}} to {ours}',
            '<p>Hello {{ first_name | default: "there" }},</p>'
            f"<p>These pages of yours link to {ours}. Please remove the links, or tell me who can:</p>"
            "<p>{{ links }}</p>"
            "<p>They are part of old work that we are clearing up. A short answer is enough.</p>"
            "<p>{{ sender_name }}</p>",
        ),
        Preset(
            "",
            '<p>Hello {{ first_name | default: "there" }},</p>'
            f"<p>I wrote about links to {ours} on these pages. Could you remove them, "
            "or tell me whom to ask?</p><p>{{ links }}</p><p>{{ sender_name }}</p>",
            wait_days=5,
        ),
        Preset(
            "",
            '<p>Hello {{ first_name | default: "there" }},</p>'
            "<p>This is my last note about these links. If they stay, I will list them in a disavow file, "
            "and you need to do nothing.</p><p>{{ links }}</p><p>{{ sender_name }}</p>",
            wait_days=7,
        ),
    )
