from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Beside the traffic: the table is not locked while the index is made."""

    atomic = False

    dependencies = [
        ('outreach', '0004_project_access'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(
                condition=models.Q(('state', 'refused')),
                fields=['workspace', 'ended_at'],
                name='message_refused',
            ),
        ),
    ]
