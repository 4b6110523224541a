"""The kinds of pages there are: the name of an address, and which of them show a page to look at."""

from __future__ import annotations

from django.urls import Resolver404, resolve

from tests.isolation.expected import INSIDE

# More than one of a kind, where its states look different.
MOST_OF_A_KIND = {
    "outreach:campaign": 4,
    "outreach:thread": 3,
    "outreach:contact_import": 2,
    "outreach:case": 2,
    "outreach:removal": 2,
    "outreach:mailbox": 2,
}
# Addresses that answer a GET and are no page of their own, or that no link leads to: why.
NOT_SHOWN = {
    "activity_export": "a file",
    "requests_csv": "a file",
    "outreach:receipt_text": "a file",
    "outreach:disavow": "a file",
    "outreach:attachment": "a file",
    "outreach:contact_import_rejects": "a file",
    "outreach:receipt_lines": "a part of a page",
    "outreach:campaign_preview": "a part of a page",
    "outreach:campaign_checks": "a part of a page",
    "outreach:library_pick": "a part of a page",
    "outreach:library_words": "a part of a page",
    "outreach:example_words": "a part of a page",
    "outreach:inbox_news": "a part of a page",
    "outreach:find": "what the palette asks for",
    "outreach:board_more": "a part of a page",
    "outreach:reply_frame": "the frame of a stranger's mail",
}
# What a stranger sees.
SIGNED_OUT = {
    "account_login": "/accounts/login/",
    "account_signup": "/accounts/signup/",
    "account_reset_password": "/accounts/password/reset/",
    "privacy": "/privacy/",
    "cookies": "/cookies/",
    "api:docs": "/api/docs/",
}


def kind_of(path: str) -> str:
    """The name of an address; "" for one that is not ours."""
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def shown_kinds() -> set[str]:
    """Every address of a workspace that answers a GET, as tests/isolation declares them."""
    return {name for name, rule in INSIDE.items() if "GET" in rule.least}
