from django.db import migrations


class Migration(migrations.Migration):
    """PostgreSQL planned it for its values each time it was asked; its one plan is good for all."""

    dependencies = [
        ('mailbox', '0006_claims_challenge'),
    ]

    operations = [
        migrations.RunSQL(
            sql='ALTER FUNCTION mailbox_is_living SET plan_cache_mode = force_generic_plan',
            reverse_sql='ALTER FUNCTION mailbox_is_living RESET plan_cache_mode',
        ),
    ]
