from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What Home tells of the last days and of campaigns, by indexes alone. The tables are not locked."""

    atomic = False

    dependencies = [
        ('outreach', '0022_stop_a_sequence'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(condition=models.Q(('state', 'sent')), fields=['workspace', 'sent_at'], include=['contact', 'kind', 'replied_at'], name='message_sent_by_time'),
        ),
        AddIndexConcurrently(
            model_name='reply',
            index=models.Index(condition=models.Q(('kind', 'reply')), fields=['workspace', 'received_at'], name='reply_by_time'),
        ),
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(condition=models.Q(('state__in', ['submitting', 'doubt', 'sent'])), fields=['workspace', 'campaign', 'kind', 'enrollment'], name='message_written'),
        ),
        AddIndexConcurrently(
            model_name='enrollment',
            index=models.Index(fields=['workspace', 'campaign', 'state'], name='enrollment_by_campaign'),
        ),
    ]
