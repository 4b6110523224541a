"""Boards and their cards."""

from django.urls import URLPattern, path

from outreach.views import boards

urlpatterns: list[URLPattern] = [
    path("w/<slug:slug>/projects/<uuid:pk>/board/", boards.board, name="board"),
    path("w/<slug:slug>/projects/<uuid:pk>/board/more/", boards.board_more, name="board_more"),
    path("w/<slug:slug>/cards/<uuid:pk>/", boards.card, name="card"),
    path("w/<slug:slug>/cards/<uuid:pk>/move/", boards.card_move, name="card_move"),
    path("w/<slug:slug>/cards/<uuid:pk>/assign/", boards.card_assign, name="card_assign"),
]
