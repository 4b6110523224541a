from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_audit_chain")]

    operations = [
        migrations.AddField("workspace", "mails_anchors", models.BooleanField(default=False)),
    ]
