"""Removal projects and the cases of their sites."""

from django.urls import URLPattern, path

from outreach.views import cases, removal_acts, removal_import, removal_text, removals

REMOVAL = "w/<slug:slug>/removals/<uuid:pk>/"
CASE = "w/<slug:slug>/cases/<uuid:pk>/"
urlpatterns: list[URLPattern] = [
    path("w/<slug:slug>/removals/", removals.removals, name="removals"),
    path("w/<slug:slug>/removals/new/", removals.removal_new, name="removal_new"),
    path(REMOVAL, removals.removal, name="removal"),
    path(f"{REMOVAL}import/", removal_import.removal_import, name="removal_import"),
    path(f"{REMOVAL}text/", removal_text.removal_text, name="removal_text"),
    path(f"{REMOVAL}verdicts/", removal_acts.removal_verdicts, name="removal_verdicts"),
    path(f"{REMOVAL}write/", removal_acts.removal_write, name="removal_write"),
    path(f"{REMOVAL}pause/", removal_acts.removal_pause, name="removal_pause"),
    path(f"{REMOVAL}disavow/", removals.disavow_file, name="disavow"),
    path(CASE, cases.case, name="case"),
    path(f"{CASE}verdict/", removal_acts.case_verdict, name="case_verdict"),
    path(f"{CASE}contact/", cases.case_contact, name="case_contact"),
    path(f"{CASE}links/", cases.case_links, name="case_links"),
    path(f"{CASE}scope/", cases.case_scope, name="case_scope"),
]
