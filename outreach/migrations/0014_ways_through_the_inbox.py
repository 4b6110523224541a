from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """A way to each list in its order. Beside the traffic: the table is not locked."""

    atomic = False

    dependencies = [
        ('outreach', '0013_places_in_the_inbox'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('stands_at__isnull', False)), fields=['workspace', '-stands_at', '-id'], name='thread_heard'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('waits_since__isnull', False), ('snoozed_until__isnull', False), _connector='OR'), fields=['workspace', '-stands_at', '-id'], name='thread_open'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('stands_at__isnull', False)), fields=['campaign', '-stands_at', '-id'], name='thread_of_campaign'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('stands_at__isnull', False)), fields=['project', '-stands_at', '-id'], name='thread_of_project'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('stands_at__isnull', False)), fields=['mailbox', '-stands_at', '-id'], name='thread_of_mailbox'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('assignee__isnull', False)), fields=['assignee', '-stands_at', '-id'], name='thread_assigned'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('label__gt', '')), fields=['workspace', 'label', '-stands_at', '-id'], name='thread_labelled'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('unread', True)), fields=['workspace', '-stands_at', '-id'], name='thread_unread'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('stands_at__isnull', False), ('indexed', False)), fields=['workspace', 'id'], name='thread_not_indexed'),
        ),
        AddIndexConcurrently(
            model_name='thread',
            index=models.Index(condition=models.Q(('assignment__isnull', False)), fields=['assignee', 'assignment'], name='thread_given'),
        ),
    ]
