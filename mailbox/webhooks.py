"""Where Google and Microsoft tell of new mail. A push is a hint: somebody looks, and nothing else (T23).

What is believed is who sent it, never what it says: the look goes on from the stored cursor. Whether an
address or a subscription is known here cannot be seen from the answer.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from redis.exceptions import RedisError

from accounts.access import public
from accounts.limits import Limit
from accounts.origin import client_address
from accounts.tenancy import workspace
from mailbox import gateway, tasks, watches
from mailbox.errors import Retry
from mailbox.models import Mailbox, Provider, PushRoute
from mailbox.signals import mailbox_changed

log = logging.getLogger(__name__)
LONGEST = 256 * 1024
LONGEST_TOKEN = 1024
# Notices in one call; Microsoft puts several into one.
MOST = 100
# Calls from one address that were not believed.
WRONG = Limit("hook", 120, 60)


@csrf_exempt
@public("the providers call here: a signature or a secret of ours says that it is they")
@require_POST
@never_cache
def hook(request: HttpRequest, provider: str) -> HttpResponse:
    who = client_address(request)
    if len(request.headers.get("Content-Length", "")) > 7 or len(request.body) > LONGEST:
        return HttpResponse(status=413)
    try:
        if not WRONG.take(who):
            return HttpResponse(status=429)
        answer, believed = _DOORS[provider](request)
        if believed:
            WRONG.give_back(who)
    except RedisError:
        # Without a counter nothing is taken in; the poll goes on.
        return HttpResponse(status=503)
    return answer


def _google(request: HttpRequest) -> tuple[HttpResponse, bool]:
    """Pub/Sub: tells again what is not answered with a success."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer" or not gateway.is_google_push(token.strip()):
            return HttpResponse(status=401), False
    except Retry as problem:
        log.warning("a push could not be verified: %s", problem.reason)
        return HttpResponse(status=503), True
    try:
        data = json.loads(request.body)["message"]["data"]
        address = json.loads(base64.b64decode(data))["emailAddress"]
    except (ValueError, TypeError, KeyError):
        return HttpResponse(status=204), True
    route = watches.found_by(Provider.GOOGLE, str(address)[:320])
    if route is not None:
        _look(route)
    return HttpResponse(status=204), True


def _microsoft(request: HttpRequest) -> tuple[HttpResponse, bool]:
    """The handshake of a new subscription, notices of new mail, and the three events of its life."""
    token = request.GET.get("validationToken")
    if token is not None:
        # The one answer that repeats what was sent: as text, which no browser takes for a page.
        return HttpResponse(token[:LONGEST_TOKEN], content_type="text/plain; charset=utf-8"), True
    try:
        notices = json.loads(request.body)["value"]
    except (ValueError, TypeError, KeyError):
        return HttpResponse(status=202), False
    notices = [one for one in notices if isinstance(one, dict)] if isinstance(notices, list) else []
    routes: dict[Any, PushRoute] = {}
    for one in notices[:MOST]:
        secret = str(one.get("clientState") or "")
        route = watches.found_by(Provider.MICROSOFT, str(one.get("subscriptionId", ""))[:100], secret=secret)
        if route is None:
            continue
        routes[route.pk] = route
        _live_on(route, str(one.get("lifecycleEvent") or ""))
    for route in routes.values():
        _look(route)
    return HttpResponse(status=202), bool(routes)


def _live_on(route: PushRoute, event: str) -> None:
    """Authorize anew, or subscribe anew. Behind `missed` a look is all that is needed."""
    if event in ("reauthorizationRequired", "subscriptionRemoved"):
        with workspace(route.workspace_id):
            watches.ask_again(route, removed=event == "subscriptionRemoved")
        tasks.ring_for(route.workspace_id, route.pk)


def _look(route: PushRoute) -> None:
    with workspace(route.workspace_id):
        mailbox = Mailbox.objects.usable().filter(pk=route.pk).first()
        if mailbox is not None:
            mailbox_changed.send(sender=Mailbox, mailbox=mailbox, fact="hint")


_DOORS: dict[str, Callable[[HttpRequest], tuple[HttpResponse, bool]]] = {
    Provider.GOOGLE: _google,
    Provider.MICROSOFT: _microsoft,
}
