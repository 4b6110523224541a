"""The pages around consent. The consent itself happens at the provider.

Leaving is a page with a Refresh header and a link, never a redirect of the form's POST: browsers hold every
hop of such a redirect against `form-action`, and a company's own sign-in page may be one of the hops.
"""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, member, own_or_404, public
from accounts.models import Membership, Role, User
from accounts.people import spent_states
from accounts.tenancy import workspace
from mailbox import oauth, offers
from mailbox.consents import ConsentError, Stale
from mailbox.limited_use import PERMISSIONS, Permission
from mailbox.models import Mailbox, Provider

log = logging.getLogger(__name__)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CODES = {error.code for error in ConsentError.__subclasses__()}
NAMES = {p.title: p for permissions in PERMISSIONS.values() for p in permissions}
NAMES["Keep access between visits"] = Permission(
    "Keep access between visits",
    "Mail goes out and replies are found while you are away. Without it the access ends within the hour.",
    (),
)


@member(Role.MEMBER)
@require_GET
def connect(request: MemberRequest) -> HttpResponse:
    """Choose a provider; says before consent what is asked and why. `?again=` reconnects one mailbox."""
    again = _again(request, request.GET.get("again", ""))
    kinds = [_kind(kind) for kind in Provider if again is None or again.provider == kind]
    page = {"kinds": kinds, "again": again, "admin_link": oauth.admin_link(), "nav_on": "mailboxes"}
    return render(request, "mailbox/connect.html", page)


@member(Role.MEMBER)
@require_POST
@never_cache
def start(request: MemberRequest, provider: str) -> HttpResponse:
    again = _again(request, request.POST.get("again", ""))
    if again is not None and again.provider != provider:
        raise Http404
    try:
        url = oauth.start(
            provider,
            user=request.user,
            workspace=request.workspace,
            session=request.session,
            mailbox=again,
        )
    except ConsentError as error:
        return redirect(problem_address(request.workspace.slug, provider, error))
    page = {"url": url, "kind": Provider(provider), "nav_on": "mailboxes"}
    answer = render(request, "mailbox/leaving.html", page)
    answer["Refresh"] = f"0; url={url}"
    # The provider's page learns nothing of ours from the address it was reached from.
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@public("the provider leads a browser here: the state in its session decides")
@require_GET
@never_cache
def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Back from the provider. Nothing is connected here: the next page asks the person."""
    if provider == Provider.MICROSOFT and ("admin_consent" in request.GET or oauth.is_admins(request.GET)):
        return _approved(request)
    here = oauth.place_of(request.session, request.GET.get("state", ""))
    user = request.user
    membership = None
    if isinstance(user, User) and here is not None:
        membership = (
            Membership.objects.select_related("workspace").filter(user=user, workspace_id=here).first()
        )
    if membership is None or not isinstance(user, User) or not membership.may(Role.MEMBER):
        # Another browser, a signed-out one, or somebody who is no longer a member: the state is of no use,
        # here and wherever it began.
        spent_states.spend(request.GET.get("state", ""))
        return _page(request, provider, Stale.code, status=400)
    slug = membership.workspace.slug
    with workspace(membership.workspace):
        try:
            connection, again = oauth.finish(
                provider, user=user, session=request.session, query=request.GET.dict()
            )
            offers.lay(connection, user=user, session=request.session, mailbox=again)
        except ConsentError as error:
            log.info("a consent at %s gave no connection: %s (%s)", provider, error.code, error.detail)
            return redirect(problem_address(slug, provider, error))
    return redirect("mailbox:confirm", slug=slug)


@member(Role.MEMBER)
@require_GET
def problem(request: MemberRequest, code: str) -> HttpResponse:
    """Why a consent gave no connection, and the way on. The address holds no code of the provider."""
    if code not in CODES:
        raise Http404
    provider = request.GET.get("at", "")
    return _page(request, provider if provider in Provider.values else Provider.GOOGLE, code)


def _page(request: HttpRequest, provider: str, code: str, *, status: int = 200) -> HttpResponse:
    inside = getattr(request, "workspace", None) is not None
    page = {
        "code": code,
        "kind": Provider(provider),
        "withheld": [NAMES[name] for name in request.GET.getlist("without") if name in NAMES],
        "admin_link": oauth.admin_link(),
        "nav_on": "mailboxes",
        "body": "mailbox/_problem.html",
    }
    return render(
        request, "mailbox/problem.html" if inside else "mailbox/problem_alone.html", page, status=status
    )


def problem_address(slug: str, provider: str, error: ConsentError) -> str:
    """The page inside the workspace that says why, and how to go on."""
    query: dict[str, Any] = {"at": provider}
    if error.code == "withheld":
        query["without"] = list(error.names)
    return f"{reverse('mailbox:problem', args=[slug, error.code])}?{urlencode(query, doseq=True)}"


def _approved(request: HttpRequest) -> HttpResponse:
    """The admin's way back. Whoever shows this address has approved nothing by it."""
    tenant = request.GET.get("tenant", "")
    page = {
        "granted": request.GET.get("admin_consent", "").lower() == "true" and not request.GET.get("error"),
        "tenant": tenant.lower() if _GUID.fullmatch(tenant) else "",
        "admin_link": oauth.admin_link(),
    }
    return render(request, "mailbox/approved.html", page)


def _again(request: MemberRequest, pk: str) -> Mailbox | None:
    """The mailbox that is to be reconnected; members see their own accounts only at the provider anyway."""
    return own_or_404(Mailbox.objects.all(), pk) if pk else None


def _kind(kind: Provider) -> dict[str, Any]:
    google = kind == Provider.GOOGLE
    return {
        "kind": kind,
        "company": kind.company,
        "label": kind.label,
        "symbol": "brand-google" if google else "brand-windows",
        "permissions": PERMISSIONS[kind],
        "privacy": settings.GOOGLE_PRIVACY_URL if google else settings.MS_PRIVACY_URL,
        "hint": "Gmail and Google Workspace accounts."
        if google
        else "Outlook, Exchange Online and Microsoft 365 accounts.",
        "ready": bool(settings.GOOGLE_CLIENT_ID if google else settings.MS_CLIENT_ID),
    }
