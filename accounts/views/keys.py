"""The workspace's token and API keys: the list, a new one, rotation, revocation.

A secret is on the page that answers the form which made it, and on no other: that page is kept by no cache,
and sending the form again shows the list.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import clock, keys
from accounts.access import MemberRequest, member, own_or_404, person_of
from accounts.apikeys.forms import KeyForm, Minting, RotateForm
from accounts.keys import Scope
from accounts.models import ApiKey, KeyKind, Membership, Role
from accounts.people.proof import recently_proved
from accounts.tenancy import uuid7


@dataclass(frozen=True)
class Row:
    """A key in the list: `tone`, `mark` and `words` go to {% state %}, `until` is when it stops by itself."""

    key: ApiKey
    tone: str
    mark: str
    words: str
    scopes: list[str]
    works: bool
    may_rotate: bool


@member(Role.ADMIN)
@require_GET
def api_keys(request: MemberRequest) -> HttpResponse:
    rows = _rows()
    page = {
        "token": next((row for row in rows if row.key.kind == KeyKind.TOKEN and row.may_rotate), None),
        "rows": rows,
        "minting": Minting(initial={"mint": uuid7()}),
        "nav_on": "keys",
    }
    return render(request, "accounts/keys.html", page)


@member(Role.ADMIN)
@recently_proved("Show the workspace token")
@require_POST
@never_cache
def token_show(request: MemberRequest) -> HttpResponse:
    """The workspace's token comes into being when somebody first looks at it: later it could not be shown."""
    form = Minting(request.POST)
    if not form.is_valid() or keys.current_token() is not None:
        return _back(request)
    try:
        minted = keys.mint_token(actor=person_of(request), pk=form.pk)
    except keys.AlreadyMinted:
        return _back(request)
    return _shown(request, minted)


@member(Role.ADMIN)
@recently_proved("Make an API key")
@require_http_methods(["GET", "POST"])
@never_cache
def key_new(request: MemberRequest) -> HttpResponse:
    form = KeyForm(request.POST or None, initial={"mint": uuid7(), "scopes": [Scope.READ]})
    if request.method == "POST" and form.is_valid():
        lasts = form.lasts
        try:
            minted = keys.mint(
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                networks=form.cleaned_data["networks"],
                expires_at=clock.now() + lasts if lasts else None,
                actor=person_of(request),
                pk=form.pk,
            )
        except keys.AlreadyMinted:
            return _back(request)
        return _shown(request, minted)
    page = {"form": form, "nav_on": "keys"}
    return render(request, "accounts/key_new.html", page, status=422 if form.is_bound else 200)


@member(Role.ADMIN)
@recently_proved("Rotate a key")
@require_http_methods(["GET", "POST"])
@never_cache
def key_rotate(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(ApiKey, pk)
    form = RotateForm(request.POST or None, initial={"mint": uuid7()})
    if request.method == "POST" and form.is_valid():
        try:
            minted = keys.rotate(row, actor=person_of(request), pk=form.pk, overlap=form.overlap)
        except keys.AlreadyMinted:
            return _back(request)
        except keys.KeyGone:
            messages.error(request, f"{row.name} works no more, or was rotated already.")
            return redirect("keys", slug=request.workspace.slug)
        return _shown(request, minted)
    page = {"form": form, "key": row, "nav_on": "keys"}
    return render(request, "accounts/key_rotate.html", page, status=422 if form.is_bound else 200)


@member(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def key_revoke(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """No proof is asked for: stopping is not slower than starting."""
    row = own_or_404(ApiKey, pk)
    back = reverse("keys", kwargs={"slug": request.workspace.slug})
    if request.method == "POST":
        if keys.revoke(row, actor=person_of(request)):
            messages.success(request, f"{row.name} ({row.prefix}…) is revoked")
        return redirect(back)
    page = {
        "id": "ask",
        "open": True,
        "title": f"Revoke {row.name}",
        "button": "Revoke it now",
        "symbol": "key-off",
        "tone": "btn-stop",
        "action": request.get_full_path(),
        "back": back,
        "effects": [
            "The next request with it is refused. This cannot be undone.",
            "Other keys are not touched. What it did before stays in the log.",
        ],
    }
    return render(request, "parts/_confirm.html" if request.htmx else "accounts/key_revoke.html", page)


def _rows() -> list[Row]:
    """Live ones first, each with its state; one query for the keys and one for who may still make some."""
    now = clock.now()
    found = list(ApiKey.objects.select_related("created_by").prefetch_related("successors").order_by("-pk"))
    makers = set(
        Membership.objects.filter(
            workspace__in={key.workspace_id for key in found},
            role__in=[Role.OWNER, Role.ADMIN],
            user__is_active=True,
        ).values_list("user", flat=True)
    )
    rows = [_row(key, now=now, has_maker=key.created_by_id in makers) for key in found]
    return sorted(rows, key=lambda row: not row.works)


def _row(key: ApiKey, *, now: dt.datetime, has_maker: bool) -> Row:
    replaced = bool(key.successors.all())
    if key.revoked_at is not None:
        state = ("n", "cancelled", "Revoked")
    elif key.expires_at is not None and key.expires_at <= now:
        state = ("n", "minus", "Ran out")
    elif not has_maker:
        state = ("n", "cancelled", "Stopped: its maker is no admin here")
    elif replaced:
        state = ("w", "held", "Replaced, still works")
    else:
        state = ("g", "quiet", "Works")
    works = state[0] in "gw"
    return Row(
        key,
        *state,
        scopes=[str(Scope(scope).label) for scope in key.scopes if scope in Scope.values],
        works=works,
        may_rotate=works and not replaced,
    )


def _shown(request: MemberRequest, minted: keys.Minted) -> HttpResponse:
    old = minted.key.succeeds
    if old is not None:
        old.refresh_from_db()
    page = {"minted": minted, "old": old, "now": clock.now(), "nav_on": "keys"}
    return render(request, "accounts/key_shown.html", page)


def _back(request: MemberRequest) -> HttpResponse:
    messages.info(request, "That key is made already. Its secret was shown once and cannot be shown again.")
    return redirect("keys", slug=request.workspace.slug)
