"""What recipients and their mail programs reach: pixel, click, opt-out.

The paths are those of tracking.tokens.Purpose; the addresses themselves are made there.
"""

from django.urls import path

from tracking import views

app_name = "tracking"
urlpatterns = [
    path("o/<str:token>", views.pixel, name="pixel"),
    path("c/<str:token>", views.click, name="click"),
    path("u/<str:token>", views.opt_out, name="opt_out"),
]
