"""The product's addresses, below /w/<slug>/; only the pictures of mails have an address by themselves."""

from django.urls import URLPattern, URLResolver, path

from outreach.views import (
    attachments,
    campaign_acts,
    campaign_people,
    campaign_settings,
    campaigns,
    cases,
    composer,
    contact_imports,
    contacts,
    contacts_import,
    doubt,
    enrollment_acts,
    home,
    inbox,
    inbox_acts,
    library,
    library_examples,
    library_use,
    mailboxes,
    original,
    projects,
    removal_acts,
    removal_import,
    removal_text,
    removals,
    sites,
    suggestions,
    suppressions,
)

app_name = "outreach"
urlpatterns: list[URLPattern | URLResolver] = []

# --- mailboxes
urlpatterns += [
    path("w/<slug:slug>/mailboxes/", mailboxes.mailboxes, name="mailboxes"),
    path("w/<slug:slug>/mailboxes/<uuid:pk>/", mailboxes.mailbox, name="mailbox"),
    path("w/<slug:slug>/mailboxes/<uuid:pk>/compare/", mailboxes.mailbox_compare, name="mailbox_compare"),
    path("w/<slug:slug>/mailboxes/<uuid:pk>/remove/", mailboxes.mailbox_revoke, name="mailbox_revoke"),
    path("w/<slug:slug>/receipts/<uuid:pk>/", mailboxes.receipt, name="receipt"),
    path("w/<slug:slug>/receipts/<uuid:pk>/lines/", mailboxes.receipt_lines, name="receipt_lines"),
    path("w/<slug:slug>/receipts/<uuid:pk>/text/", mailboxes.receipt_text, name="receipt_text"),
]
# --- end of mailboxes

# --- projects, campaigns, contacts, sites, suppressions
CAMPAIGN = "w/<slug:slug>/campaigns/<uuid:pk>/"
IMPORT = "w/<slug:slug>/contacts/imports/<uuid:pk>/"
urlpatterns += [
    path("w/<slug:slug>/projects/", projects.projects, name="projects"),
    path("w/<slug:slug>/projects/new/", projects.project_new, name="project_new"),
    path("w/<slug:slug>/projects/<uuid:pk>/", projects.project, name="project"),
    path("w/<slug:slug>/projects/<uuid:pk>/edit/", projects.project_edit, name="project_edit"),
    path("w/<slug:slug>/projects/<uuid:pk>/delete/", projects.project_delete, name="project_delete"),
    path("w/<slug:slug>/campaigns/", campaigns.campaigns, name="campaigns"),
    path("w/<slug:slug>/campaigns/new/", campaigns.campaign_new, name="campaign_new"),
    path(CAMPAIGN, campaigns.campaign, name="campaign"),
    path(f"{CAMPAIGN}log/", campaigns.campaign_log, name="campaign_log"),
    path(f"{CAMPAIGN}people/", campaign_people.campaign_people, name="campaign_people"),
    path(f"{CAMPAIGN}people/selected/", enrollment_acts.enrollments_selected, name="enrollments_selected"),
    path(f"{CAMPAIGN}people/<uuid:person>/", campaigns.campaign_person, name="campaign_person"),
    path(f"{CAMPAIGN}people/<uuid:person>/remove/", enrollment_acts.campaign_remove, name="campaign_remove"),
    path(f"{CAMPAIGN}people/<uuid:person>/pause/", enrollment_acts.enrollment_pause, name="enrollment_pause"),
    path(f"{CAMPAIGN}people/<uuid:person>/go-on/", enrollment_acts.enrollment_go_on, name="enrollment_go_on"),
    path(f"{CAMPAIGN}people/<uuid:person>/skip/", enrollment_acts.enrollment_skip, name="enrollment_skip"),
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
    path("w/<slug:slug>/doubt/", doubt.in_doubt, name="doubts"),
    path("w/<slug:slug>/doubt/<uuid:pk>/", doubt.doubt, name="doubt"),
    path("w/<slug:slug>/contacts/", contacts.contacts, name="contacts"),
    path("w/<slug:slug>/contacts/new/", contacts.contact_new, name="contact_new"),
    path("w/<slug:slug>/contacts/import/", contacts_import.contacts_import, name="contacts_import"),
    path("w/<slug:slug>/contacts/imports/", contact_imports.contact_imports, name="contact_imports"),
    path(IMPORT, contact_imports.contact_import, name="contact_import"),
    path(f"{IMPORT}rejected/", contact_imports.contact_import_rejects, name="contact_import_rejects"),
    path(f"{IMPORT}cancel/", contact_imports.contact_import_cancel, name="contact_import_cancel"),
    path(f"{IMPORT}undo/", contact_imports.contact_import_undo, name="contact_import_undo"),
    path("w/<slug:slug>/contacts/<uuid:pk>/", contacts.contact, name="contact"),
    path("w/<slug:slug>/contacts/<uuid:pk>/edit/", contacts.contact_edit, name="contact_edit"),
    path("w/<slug:slug>/contacts/<uuid:pk>/delete/", contacts.contact_delete, name="contact_delete"),
    path("w/<slug:slug>/sites/", sites.sites, name="sites"),
    path("w/<slug:slug>/sites/<uuid:pk>/", sites.site, name="site"),
    path("w/<slug:slug>/suppressions/", suppressions.suppressions, name="suppressions"),
    path("w/<slug:slug>/suppressions/new/", suppressions.suppression_new, name="suppression_new"),
    path(
        "w/<slug:slug>/suppressions/<uuid:pk>/lift/", suppressions.suppression_lift, name="suppression_lift"
    ),
]
# --- end of projects, campaigns, contacts, sites, suppressions

# --- library of texts
TEXT = "w/<slug:slug>/library/<uuid:pk>/"
urlpatterns += [
    path("w/<slug:slug>/library/", library.texts, name="library"),
    path("w/<slug:slug>/library/new/", library.text_new, name="library_new"),
    path("w/<slug:slug>/library/pick/", library_use.library_pick, name="library_pick"),
    path("w/<slug:slug>/library/examples/<slug:key>/words/", library_use.example_words, name="example_words"),
    path(
        "w/<slug:slug>/library/examples/<slug:key>/copy/", library_examples.example_copy, name="example_copy"
    ),
    path(TEXT, library.text, name="library_text"),
    path(f"{TEXT}words/", library_use.library_words, name="library_words"),
    path(f"{TEXT}duplicate/", library.text_duplicate, name="library_duplicate"),
    path(f"{TEXT}delete/", library.text_delete, name="library_delete"),
]
# --- end of library of texts

# --- home, inbox, removals
THREAD = "w/<slug:slug>/inbox/<uuid:pk>/"
REMOVAL = "w/<slug:slug>/removals/<uuid:pk>/"
CASE = "w/<slug:slug>/cases/<uuid:pk>/"
urlpatterns += [
    path("w/<slug:slug>/", home.home, name="home"),
    path("w/<slug:slug>/inbox/", inbox.inbox, name="inbox"),
    path("w/<slug:slug>/inbox/may-be-answers/", suggestions.may_be_answers, name="suggestions"),
    path(
        "w/<slug:slug>/inbox/may-be-answers/<uuid:pk>/",
        suggestions.suggestion_decide,
        name="suggestion_decide",
    ),
    path(THREAD, inbox.thread, name="thread"),
    path(f"{THREAD}answer/", inbox.thread_answer, name="thread_answer"),
    path(f"{THREAD}attach/", attachments.thread_attach, name="thread_attach"),
    path("w/<slug:slug>/attachments/<uuid:pk>/", attachments.attachment, name="attachment"),
    path(
        "w/<slug:slug>/attachments/<uuid:pk>/remove/",
        attachments.attachment_remove,
        name="attachment_remove",
    ),
    path(f"{THREAD}done/", inbox_acts.thread_done, name="thread_done"),
    path(f"{THREAD}label/", inbox_acts.thread_label, name="thread_label"),
    path(f"{THREAD}unread/", inbox_acts.thread_unread, name="thread_unread"),
    path(f"{THREAD}assign/", inbox_acts.thread_assign, name="thread_assign"),
    path(f"{THREAD}snooze/", inbox_acts.thread_snooze, name="thread_snooze"),
    path(f"{THREAD}note/", inbox_acts.thread_note, name="thread_note"),
    path(f"{THREAD}writing/", inbox_acts.thread_writing, name="thread_writing"),
    path("w/<slug:slug>/notes/<uuid:pk>/remove/", inbox_acts.note_remove, name="note_remove"),
    path("w/<slug:slug>/news/", inbox_acts.inbox_news, name="inbox_news"),
    path("w/<slug:slug>/replies/<uuid:pk>/original/", original.reply_frame, name="reply_frame"),
    path("pictures/<str:token>/", original.picture, name="picture"),
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
# --- end of home, inbox, removals
