"""Addresses outside a workspace, and the account pages inside one."""

from django.urls import include, path

from accounts import views

urlpatterns = [
    path("", views.landing, name="landing"),
    path("accounts/", include("allauth.account.urls")),
    path("new/", views.new_workspace, name="new_workspace"),
    path("mail/", views.service_mail, name="service_mail"),
    path("privacy/", views.privacy, name="privacy"),
    path("cookies/", views.cookies, name="cookies"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("w/<slug:slug>/settings/", views.workspace_settings, name="settings"),
    path("w/<slug:slug>/activity/", views.activity, name="activity"),
]
