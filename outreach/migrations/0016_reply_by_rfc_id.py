from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Answers to an answer are matched by its Message-ID. Beside the traffic: the table is not locked."""

    atomic = False

    dependencies = [
        ('outreach', '0015_receiving'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='reply',
            index=models.Index(fields=['workspace', 'rfc_message_index'], name='reply_by_rfc_id'),
        ),
    ]
