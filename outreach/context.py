"""The counts in the sidebar: they mean "waits for you", nothing else."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from mailbox.models import Mailbox, MailboxState
from outreach.inbox import listing, news
from outreach.models import Thread


def navigation(request: HttpRequest) -> dict[str, Any]:
    if getattr(request, "workspace", None) is None:
        return {}
    return {
        "nav": {
            "inbox": listing.told(Thread.objects.waiting()),
            "news_mark": news.begin(),
            "mailboxes_need_you": Mailbox.objects.filter(state=MailboxState.BROKEN).exists(),
        }
    }
