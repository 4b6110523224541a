"""The person's own pages, in no workspace: profile, sign-ins, and the way on after a proof."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import person_of, signed_in
from accounts.forms import ProfileForm
from accounts.models import SignIn, User
from accounts.people import proof
from accounts.people.sign_ins import end_all_sessions, end_other_sessions, end_session, open_sessions


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=person_of(request).pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your name is saved")
        return redirect("profile")
    return render(request, "account/profile.html", {"form": form}, status=422 if form.is_bound else 200)


@signed_in
@never_cache
@require_GET
def sign_ins(request: HttpRequest) -> HttpResponse:
    """Browsers that are signed in now, and each sign-in of the last 12 months."""
    user = person_of(request)
    rows = SignIn.objects.filter(user=user).order_by("-at", "-id")
    page = {
        "knows_countries": bool(settings.GEOIP_DATABASE),
        "sessions": open_sessions(request, user),
        "page": Paginator(rows, 25).get_page(request.GET.get("page")),
    }
    return render(request, "account/sign_ins.html", page)


@signed_in
@require_POST
def sign_ins_end(request: HttpRequest) -> HttpResponse:
    """Signs out one browser, all others, or all. No proof is asked: stopping is not slower than starting."""
    user = person_of(request)
    which = request.POST.get("which", "")
    if which == "all":
        end_all_sessions(user)
        logout(request)
        return redirect("account_login")
    if which == "others":
        end_other_sessions(request, user)
        messages.success(request, "All other browsers are signed out")
    elif which.isascii() and which.isdigit() and len(which) < 19 and end_session(user, int(which)):
        messages.success(request, "That browser is signed out")
    else:
        raise Http404
    return redirect("sign_ins")


@signed_in
@never_cache
@require_GET
def go_on(request: HttpRequest) -> HttpResponseBase:
    """After the proof: the form that was posted before it, to be sent by one more press."""
    kept = proof.kept_form(request)
    if kept is None:
        messages.warning(request, "The form is no longer here. Fill it in once more.")
        return redirect("landing")
    if not proof.is_recent(request):
        return proof.lead_to(request, reverse("go_on"))
    return render(request, "account/go_on.html", {"kept": kept})


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_again(request: HttpRequest) -> HttpResponse:
    """For a person with neither password nor factor: their proof is the sign-in itself."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    back = wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/"
    if request.method == "POST":
        logout(request)
        return redirect(f"{reverse('account_login')}?{urlencode({'next': back})}")
    return render(request, "account/sign_in_again.html", {"next": back})
