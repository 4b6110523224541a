import accounts.encryption
from django.db import migrations


class Migration(migrations.Migration):
    """A column that may be empty: nothing is rewritten, and rows under way are not compared."""

    dependencies = [
        ('outreach', '0009_the_last_gate'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='draft_version',
            field=accounts.encryption.EncryptedTextField(default='', null=True),
        ),
    ]
