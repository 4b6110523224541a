"""Boards, their cards, and tasks."""

from django.urls import URLPattern, path

from outreach.views import boards, to_do

urlpatterns: list[URLPattern] = [
    path("w/<slug:slug>/projects/<uuid:pk>/board/", boards.board, name="board"),
    path("w/<slug:slug>/projects/<uuid:pk>/board/more/", boards.board_more, name="board_more"),
    path("w/<slug:slug>/cards/<uuid:pk>/", boards.card, name="card"),
    path("w/<slug:slug>/cards/<uuid:pk>/move/", boards.card_move, name="card_move"),
    path("w/<slug:slug>/cards/<uuid:pk>/assign/", boards.card_assign, name="card_assign"),
    path("w/<slug:slug>/cards/<uuid:pk>/task/", to_do.task_new, name="task_new"),
    path("w/<slug:slug>/tasks/", to_do.tasks, name="tasks"),
    path("w/<slug:slug>/tasks/<uuid:pk>/done/", to_do.task_done, name="task_done"),
    path("w/<slug:slug>/tasks/<uuid:pk>/put-off/", to_do.task_put_off, name="task_put_off"),
]
