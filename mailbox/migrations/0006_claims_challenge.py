import accounts.encryption
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('mailbox', '0005_living'),
    ]

    operations = [
        migrations.AddField(
            model_name='credential',
            name='claims',
            field=accounts.encryption.EncryptedTextField(default='', null=True),
        ),
    ]
