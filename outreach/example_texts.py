"""Texts to begin with: three for each use, to be copied into the library or put into a step."""

from __future__ import annotations

from dataclasses import dataclass

from outreach.models import TextUse

_HELLO = '<p>Hello {{ first_name | default: "there" }},</p>'
_SITE = '{{ site | default: "your site" }}'
_PLACE = '{{ company | default: "your team" }}'
# A removal project fills in its links; elsewhere the sentence is left out.
_LINKS = "{% if links %} They are:<br>{{ links }}{% endif %}"
_BYE = "<p>{{ sender_name }}</p>"


@dataclass(frozen=True)
class Example:
    """`key` names it in addresses.

    Fields have fallbacks, so that nobody is held back for a blank. What only the author knows stands in
    [square brackets] with its name: nothing leaves before they are filled in (decisions 4).
    """

    key: str
    name: str
    use: str
    subject: str
    body: str


def _text(*paragraphs: str) -> str:
    return _HELLO + "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs) + _BYE


EXAMPLES = (
    Example(
        "link-useful-page",
        "A page that may be of use",
        TextUse.LINK_BUILDING,
        f"For your readers at {_SITE}",
        _text(
            f"I came across {_SITE} while I was reading about [the subject].",
            "We have written a page on it, which says [what is new in it]: [address of our page]. It may be "
            "of use to your readers, and you are free to link to it or to quote it.",
            "If it does not fit, you need not answer, and I will not write about it again.",
        ),
    ),
    Example(
        "link-broken",
        "A link that leads nowhere",
        TextUse.LINK_BUILDING,
        f"A broken link on {_SITE}",
        _text(
            f"A link on {_SITE} leads nowhere at present: [address of the broken link].",
            "In case you want to replace it, we have a page on that subject: [address of our page].",
            "Either way, I thought that you would like to know.",
        ),
    ),
    Example(
        "link-mention",
        "You name us without a link",
        TextUse.LINK_BUILDING,
        f"Thank you for naming us on {_SITE}",
        _text(
            f"You name us on {_SITE}. Thank you for that.",
            "Would you turn the name into a link, so that your readers find us? The address would be "
            "[address of our page].",
            "If you would rather not, that is fine, and I am glad of the mention as it is.",
        ),
    ),
    Example(
        "guest-offer",
        "An article for your site",
        TextUse.GUEST_POST,
        f"An article for {_SITE}?",
        _text(
            f"Do you take articles by guests at {_SITE}?",
            "I would like to write about [the subject], only for you, from our own work, and without "
            "advertising. I would send an outline first.",
            "A yes or a no is enough. Without an answer I will leave it there.",
        ),
    ),
    Example(
        "guest-outline",
        "Three subjects to choose from",
        TextUse.GUEST_POST,
        f"Three subjects for {_SITE}",
        _text(
            f"These are three articles that I could write for {_SITE}:",
            "1. [first subject]<br>2. [second subject]<br>3. [third subject]",
            "Would one of them suit your readers? You decide on the text and on any link in it.",
            "If you do not take articles by guests, tell me, and I will not ask again.",
        ),
    ),
    Example(
        "guest-update",
        "Bringing an older article up to date",
        TextUse.GUEST_POST,
        f"Your article on {_SITE}",
        _text(
            f"Your article [its title] at {_SITE} helped us. Since it appeared, [what has changed].",
            "I would write the new part for you, with sources, and you publish what you like of it. We ask "
            "for no payment and no link.",
            "Shall I send you a draft? Without an answer I will leave it there.",
        ),
    ),
    Example(
        "removal-first",
        "Please remove these links",
        TextUse.REMOVAL,
        f"Links to us on {_SITE}",
        _text(
            f"Pages of {_SITE} link to our site.{_LINKS}",
            "The links are part of old work that we are clearing up. Please remove them, or tell me who can.",
            "This says nothing against your site. One line is enough as an answer.",
        ),
    ),
    Example(
        "removal-unknown",
        "Links that we did not ask for",
        TextUse.REMOVAL,
        f"Links on {_SITE} that you may not know of",
        _text(
            f"Pages of {_SITE} link to us, and we did not ask for it. Somebody else may have put the links "
            f"there.{_LINKS}",
            "You may want to look at these pages. Please remove the links to us.",
            "If you know how they came there, I would be glad of a word.",
        ),
    ),
    Example(
        "removal-paid",
        "Links that were paid for",
        TextUse.REMOVAL,
        f"Paid links on {_SITE}",
        _text(
            f"Links to us on {_SITE} were once paid for. We do not do that any more.{_LINKS}",
            "Please remove them, or mark them as sponsored. We do not ask for the money back.",
            "If you have done so already, please forgive this note. You need not answer it.",
        ),
    ),
    Example(
        "partner-together",
        "Doing something together",
        TextUse.PARTNERSHIP,
        f"An idea for {_PLACE} and us",
        _text(
            f"We work for the same people as {_PLACE}, and not against you.",
            "I have one thing in mind: [the idea]. It would cost each side about [how much time].",
            "Would you have 20 minutes to talk about it? If not, a short no is as welcome.",
        ),
    ),
    Example(
        "partner-test",
        "Try what we make",
        TextUse.PARTNERSHIP,
        f"Would {_PLACE} like to try it?",
        _text(
            "We make [what we make]. We would lend it to you for a month, for nothing.",
            "Write about it what you think, or nothing at all. We do not ask to see your text first. Please "
            "say in it that it was lent.",
            "If it is not for you, you need not answer.",
        ),
    ),
    Example(
        "partner-invitation",
        "An invitation to speak",
        TextUse.PARTNERSHIP,
        f"An invitation to {_PLACE}",
        _text(
            f"We are planning [the event] on [the day], and would like to have somebody of {_PLACE} in it.",
            "You choose what you speak about, and you get the questions beforehand. [What we pay for].",
            "Whom may I ask? If it does not suit you, I will not write about it again.",
        ),
    ),
)
_BY_KEY = {example.key: example for example in EXAMPLES}


def fitting(asked: str = "", *, use: str = "") -> list[Example]:
    """Those of a use, with `asked` in their name."""
    part = asked.lower()
    return [each for each in EXAMPLES if (not use or each.use == use) and part in each.name.lower()]


def example(key: str) -> Example | None:
    return _BY_KEY.get(key)
