"""Addresses outside a workspace, and the account pages inside one."""

from allauth.account import views as allauth
from django.urls import include, path

from accounts.people.passkeys import KeyProofView
from accounts.people.rehearsal import on_the_beat
from accounts.views import activity, keys, legal, person, requests, workspaces

urlpatterns = [
    path("", workspaces.landing, name="landing"),
    path("accounts/signup/", on_the_beat(allauth.signup), name="account_signup"),
    path("accounts/password/reset/", on_the_beat(allauth.password_reset), name="account_reset_password"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/webauthn/reauthenticate/", KeyProofView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/you/", person.profile, name="profile"),
    path("accounts/sign-ins/", person.sign_ins, name="sign_ins"),
    path("accounts/sign-ins/end/", person.sign_ins_end, name="sign_ins_end"),
    path("accounts/go-on/", person.go_on, name="go_on"),
    path("accounts/again/", person.sign_in_again, name="sign_in_again"),
    path("", include("accounts.social.urls")),
    path("new/", workspaces.new_workspace, name="new_workspace"),
    path("mail/", legal.service_mail, name="service_mail"),
    path("privacy/", legal.privacy, name="privacy"),
    path("cookies/", legal.cookies, name="cookies"),
    path("healthz", legal.healthz, name="healthz"),
    path("readyz", legal.readyz, name="readyz"),
    path("", include("accounts.staff.urls")),
    path("", include("accounts.membership.urls")),
    path("w/<slug:slug>/settings/", workspaces.workspace_settings, name="settings"),
    path("w/<slug:slug>/activity/", activity.activity, name="activity"),
    path("w/<slug:slug>/activity/export/", activity.activity_export, name="activity_export"),
    path("w/<slug:slug>/activity/verifier/", activity.activity_verifier, name="activity_verifier"),
    path("w/<slug:slug>/activity/mail/", activity.activity_mail, name="activity_mail"),
    path("w/<slug:slug>/keys/", keys.api_keys, name="keys"),
    path("w/<slug:slug>/keys/token/", keys.token_show, name="token_show"),
    path("w/<slug:slug>/keys/new/", keys.key_new, name="key_new"),
    path("w/<slug:slug>/keys/<uuid:pk>/rotate/", keys.key_rotate, name="key_rotate"),
    path("w/<slug:slug>/keys/<uuid:pk>/revoke/", keys.key_revoke, name="key_revoke"),
    path("w/<slug:slug>/requests/", requests.api_requests, name="requests"),
    path("w/<slug:slug>/requests/csv/", requests.api_requests_csv, name="requests_csv"),
]
