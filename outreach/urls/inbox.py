"""The inbox: conversations, files, notes and pictures."""

from django.urls import URLPattern, path

from outreach.views import attachments, inbox, inbox_acts, original, suggestions

THREAD = "w/<slug:slug>/inbox/<uuid:pk>/"
urlpatterns: list[URLPattern] = [
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
]
