"""Addresses outside a workspace, and the account pages inside one."""

from django.urls import include, path

from accounts.views import activity, legal, workspaces

urlpatterns = [
    path("", workspaces.landing, name="landing"),
    path("accounts/", include("allauth.account.urls")),
    path("new/", workspaces.new_workspace, name="new_workspace"),
    path("mail/", legal.service_mail, name="service_mail"),
    path("privacy/", legal.privacy, name="privacy"),
    path("cookies/", legal.cookies, name="cookies"),
    path("healthz", legal.healthz, name="healthz"),
    path("readyz", legal.readyz, name="readyz"),
    path("w/<slug:slug>/settings/", workspaces.workspace_settings, name="settings"),
    path("w/<slug:slug>/activity/", activity.activity, name="activity"),
]
