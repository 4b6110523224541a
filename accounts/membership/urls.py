"""Members and invitations."""

from django.urls import path

from accounts.views import invitations, members

MEMBER = "w/<slug:slug>/members/<uuid:pk>/"
INVITATION = "w/<slug:slug>/invitations/<uuid:pk>/"
urlpatterns = [
    path("w/<slug:slug>/members/", members.members_page, name="members"),
    path("w/<slug:slug>/members/leave/", members.leave, name="leave"),
    path(MEMBER, members.member_page, name="member"),
    path(f"{MEMBER}role/", members.member_role, name="member_role"),
    path(f"{MEMBER}projects/", members.member_projects, name="member_projects"),
    path(f"{MEMBER}remove/", members.member_remove, name="member_remove"),
    path(f"{MEMBER}owner/", members.member_transfer, name="member_transfer"),
    path("w/<slug:slug>/invitations/new/", invitations.invitation_new, name="invitation_new"),
    path(f"{INVITATION}again/", invitations.invitation_resend, name="invitation_resend"),
    path(f"{INVITATION}withdraw/", invitations.invitation_withdraw, name="invitation_withdraw"),
    path("join/<slug:place>/<slug:token>/", invitations.join, name="join"),
]
