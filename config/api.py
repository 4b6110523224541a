"""The API's addresses, its description and the page that shows it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.renderers import JSONRenderer

from accounts.access import Policy, public
from outreach.api import acting, campaigns, enrollments, groups, imports, reading, steps, texts, waiting
from outreach.api.problems import problem


class Description(SpectacularJSONAPIView):
    """The OpenAPI description. It names no workspace and no person."""

    policy = Policy.public("describes the API and holds no data")
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []


@public("shows the description; what is tried out there asks for a credential like any other request")
@require_GET
def documentation(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")


@csrf_exempt
@public("says that nothing stands here")
def nowhere(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The API's own 404, in the API's own shape."""
    found = problem(404, "There is no such address in this API.", "not_found")
    found.accepted_renderer = JSONRenderer()
    found.accepted_media_type = "application/json"
    found.renderer_context = {}  # type: ignore[attr-defined]
    return found


CAMPAIGN = "api/v1/campaigns/<uuid:pk>"
IMPORT = "api/v1/imports/<uuid:pk>"
PERSON = f"{CAMPAIGN}/people/<uuid:person>"
urlpatterns = [
    path("api/v1/me", reading.Me.as_view(), name="me"),
    path("api/v1/workspaces", reading.Workspaces.as_view(), name="workspaces"),
    re_path(r"^api/v1/workspaces/(?P<sid>WS[0-9a-f]{32})$", reading.WorkspaceOne.as_view(), name="workspace"),
    path("api/v1/projects", reading.Projects.as_view(), name="projects"),
    path("api/v1/projects/<uuid:pk>", reading.ProjectOne.as_view(), name="project"),
    path("api/v1/contacts", acting.Contacts.as_view(), name="contacts"),
    path("api/v1/contacts/<uuid:pk>", reading.ContactOne.as_view(), name="contact"),
    path("api/v1/groups", groups.Groups.as_view(), name="groups"),
    path("api/v1/groups/<uuid:pk>", groups.GroupOne.as_view(), name="group"),
    path("api/v1/groups/<uuid:pk>/people", groups.GroupPeople.as_view(), name="group_people"),
    path("api/v1/groups/<uuid:pk>/people/out", groups.GroupPeopleOut.as_view(), name="group_people_out"),
    path("api/v1/imports", imports.Imports.as_view(), name="imports"),
    path(IMPORT, imports.ImportOne.as_view(), name="import"),
    path(f"{IMPORT}/match", imports.ImportMatch.as_view(), name="import_match"),
    path(f"{IMPORT}/store", imports.ImportStore.as_view(), name="import_store"),
    path(f"{IMPORT}/cancel", imports.ImportCancel.as_view(), name="import_cancel"),
    path(f"{IMPORT}/undo", imports.ImportUndo.as_view(), name="import_undo"),
    path(f"{IMPORT}/rejected", imports.ImportRejects.as_view(), name="import_rejects"),
    path("api/v1/mailboxes", reading.Mailboxes.as_view(), name="mailboxes"),
    path("api/v1/mailboxes/<uuid:pk>", reading.MailboxOne.as_view(), name="mailbox"),
    path("api/v1/campaigns", campaigns.Campaigns.as_view(), name="campaigns"),
    path(CAMPAIGN, campaigns.CampaignOne.as_view(), name="campaign"),
    path(f"{CAMPAIGN}/readiness", campaigns.CampaignReadiness.as_view(), name="campaign_readiness"),
    path(f"{CAMPAIGN}/launch", acting.CampaignLaunch.as_view(), name="campaign_launch"),
    path(f"{CAMPAIGN}/pause", campaigns.CampaignPause.as_view(), name="campaign_pause"),
    path(f"{CAMPAIGN}/resume", campaigns.CampaignResume.as_view(), name="campaign_resume"),
    path(f"{CAMPAIGN}/cancel", campaigns.CampaignCancel.as_view(), name="campaign_cancel"),
    path(f"{CAMPAIGN}/messages", waiting.CampaignMessages.as_view(), name="campaign_messages"),
    path(f"{CAMPAIGN}/steps", steps.Steps.as_view(), name="steps"),
    path(f"{CAMPAIGN}/steps/<int:position>", steps.StepOne.as_view(), name="step"),
    path(f"{CAMPAIGN}/people", enrollments.Enrollments.as_view(), name="enrollments"),
    path(PERSON, enrollments.EnrollmentOne.as_view(), name="enrollment"),
    path(f"{PERSON}/pause", enrollments.EnrollmentPause.as_view(), name="enrollment_pause"),
    path(f"{PERSON}/go-on", enrollments.EnrollmentGoOn.as_view(), name="enrollment_go_on"),
    path(f"{PERSON}/skip", enrollments.EnrollmentSkip.as_view(), name="enrollment_skip"),
    path("api/v1/messages/<uuid:pk>/why", waiting.MessageWhy.as_view(), name="message_why"),
    path("api/v1/texts", texts.Texts.as_view(), name="texts"),
    path("api/v1/texts/<uuid:pk>", texts.TextOne.as_view(), name="text"),
    path("api/schema/", Description.as_view(), name="schema"),
    path("api/docs/", documentation, name="docs"),
    # Line breaks too, which <path:> does not match.
    re_path(r"^api/(?P<rest>[\s\S]*)$", nowhere, name="nowhere"),
]
app_name = "api"
