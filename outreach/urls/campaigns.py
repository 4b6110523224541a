"""Campaigns, their people and steps, and mails in doubt."""

from django.urls import URLPattern, path

from outreach.views import (
    campaign_acts,
    campaign_people,
    campaign_settings,
    campaigns,
    composer,
    doubt,
    enrollment_acts,
    hand_edit,
    holidays,
    moving,
)

CAMPAIGN = "w/<slug:slug>/campaigns/<uuid:pk>/"
urlpatterns: list[URLPattern] = [
    path("w/<slug:slug>/campaigns/", campaigns.campaigns, name="campaigns"),
    path("w/<slug:slug>/campaigns/new/", campaigns.campaign_new, name="campaign_new"),
    path(CAMPAIGN, campaigns.campaign, name="campaign"),
    path(f"{CAMPAIGN}log/", campaigns.campaign_log, name="campaign_log"),
    path(f"{CAMPAIGN}people/", campaign_people.campaign_people, name="campaign_people"),
    path(f"{CAMPAIGN}people/selected/", enrollment_acts.enrollments_selected, name="enrollments_selected"),
    path(f"{CAMPAIGN}people/move/", moving.enrollments_move, name="enrollments_move"),
    path(f"{CAMPAIGN}people/move/back/", moving.enrollments_move_back, name="enrollments_move_back"),
    path(f"{CAMPAIGN}people/<uuid:person>/", campaigns.campaign_person, name="campaign_person"),
    path(f"{CAMPAIGN}people/<uuid:person>/remove/", enrollment_acts.campaign_remove, name="campaign_remove"),
    path(f"{CAMPAIGN}people/<uuid:person>/pause/", enrollment_acts.enrollment_pause, name="enrollment_pause"),
    path(f"{CAMPAIGN}people/<uuid:person>/go-on/", enrollment_acts.enrollment_go_on, name="enrollment_go_on"),
    path(f"{CAMPAIGN}people/<uuid:person>/skip/", enrollment_acts.enrollment_skip, name="enrollment_skip"),
    path(f"{CAMPAIGN}people/<uuid:person>/edit/<int:position>/", hand_edit.hand_edit, name="hand_edit"),
    path(
        f"{CAMPAIGN}people/<uuid:person>/edit/<int:position>/undo/",
        hand_edit.hand_edit_undo,
        name="hand_edit_undo",
    ),
    path(f"{CAMPAIGN}settings/", campaign_settings.campaign_settings, name="campaign_settings"),
    path(f"{CAMPAIGN}compose/", composer.campaign_compose, name="campaign_compose"),
    path(f"{CAMPAIGN}compose/preview/", composer.campaign_preview, name="campaign_preview"),
    path(f"{CAMPAIGN}compose/checks/", composer.campaign_checks, name="campaign_checks"),
    path(f"{CAMPAIGN}compose/mode/", composer.campaign_mode, name="campaign_mode"),
    path(f"{CAMPAIGN}compose/steps/", composer.step_new, name="step_new"),
    path(f"{CAMPAIGN}compose/steps/<int:position>/delete/", composer.step_delete, name="step_delete"),
    path(f"{CAMPAIGN}launch/", composer.campaign_launch, name="campaign_launch"),
    path(f"{CAMPAIGN}test/", composer.campaign_test, name="campaign_test"),
    path(f"{CAMPAIGN}pause/", campaign_acts.campaign_pause, name="campaign_pause"),
    path(f"{CAMPAIGN}resume/", campaign_acts.campaign_resume, name="campaign_resume"),
    path(f"{CAMPAIGN}cancel/", campaign_acts.campaign_cancel, name="campaign_cancel"),
    path(f"{CAMPAIGN}duplicate/", campaign_acts.campaign_duplicate, name="campaign_duplicate"),
    path(f"{CAMPAIGN}delete/", campaign_acts.campaign_delete, name="campaign_delete"),
    path("w/<slug:slug>/holidays/", holidays.holidays_page, name="holidays"),
    path("w/<slug:slug>/holidays/<uuid:pk>/remove/", holidays.holiday_remove, name="holiday_remove"),
    path("w/<slug:slug>/doubt/", doubt.in_doubt, name="doubts"),
    path("w/<slug:slug>/doubt/<uuid:pk>/", doubt.doubt, name="doubt"),
]
