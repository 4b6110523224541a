"""Facts about people that apps above must act on."""

from django.dispatch import Signal

# member_left(workspace: Workspace, user: User): sent inside the transaction that ends a membership, with the
# workspace open. A receiver ends what the person had connected there, in the same act (threats T14).
member_left = Signal()
