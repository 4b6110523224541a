from django.db import migrations, models


class Migration(migrations.Migration):
    """How often the provider refused the text of a mail that is ours by its headers."""

    dependencies = [
        ('outreach', '0018_workspaces_with_work'),
    ]

    operations = [
        migrations.AddField(
            model_name='suggestion',
            name='looks',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]
