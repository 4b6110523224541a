from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What a worker looks for before each mail, in order. Beside the traffic: the table is not locked."""

    atomic = False

    dependencies = [
        ('outreach', '0007_figures_in_one_pass'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(
                condition=models.Q(('state__in', ['planned', 'queued', 'deferred'])),
                fields=['workspace', 'mailbox', 'due_at', 'id'],
                name='message_in_line',
            ),
        ),
        RemoveIndexConcurrently(model_name='message', name='message_waiting'),
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(
                condition=models.Q(
                    ('kind__in', ['answer', 'test']),
                    ('state__in', ['planned', 'queued', 'claimed', 'drafted', 'deferred']),
                ),
                fields=['workspace', 'mailbox', 'due_at', 'id'],
                name='message_somebody_waits_for',
            ),
        ),
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(
                condition=models.Q(('state', 'sent')),
                fields=['workspace', 'mailbox', '-sent_at'],
                name='message_newest_sent',
            ),
        ),
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(
                condition=models.Q(('kind', 'first'), ('state__in', ['submitting', 'doubt', 'sent'])),
                fields=['workspace', 'step', '-attempted_at'],
                name='message_newest_of_text',
            ),
        ),
    ]
