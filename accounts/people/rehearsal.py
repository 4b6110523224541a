"""The same work and the same time for an address with an account as for one without (threats T41).

A sign-up for an address that has an account does what a new account costs, and throws it away. What is left
of a difference, such as waiting for the disk, is hidden by answering on the beat: an answer leaves at the
next quarter of a second after the form came.
"""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User
from accounts.workspaces import create_workspace

BEAT = 0.25


class _Enough(Exception):
    """The rehearsal is over."""


def rehearse_sign_up(name: str, company: str) -> None:
    """Write what a new account writes, in both databases, look up what allauth does, and roll it back."""
    address = f"{secrets.token_hex(12)}@rehearsal.invalid"
    try:
        with transaction.atomic(), transaction.atomic(using="keystore"):
            user = User(email=address)
            user.save()
            create_workspace(user, name=(company or f"{name.split()[0]}’s workspace")[:80])
            user.name, user.company = name, company
            user.save(update_fields=["name", "company"])
            mine = EmailAddress.objects.filter(user=user)
            mine.exists()
            mine.first()
            mine.filter(email=address).first()
            EmailAddress.objects.create(user=user, email=address, primary=True)
            mine.filter(primary=True).exists()
            User.objects.get(pk=mine.get(email=address).user_id)
            raise _Enough
    except _Enough:
        pass


def on_the_beat(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answers to this form leave at whole beats only."""

    @functools.wraps(view)
    def waiting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        began = time.monotonic()
        answer = view(request, *args, **kwargs)
        if request.method == "POST":
            time.sleep(-(time.monotonic() - began) % BEAT)
        return answer

    return waiting
