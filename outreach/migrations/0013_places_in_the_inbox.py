from django.db import migrations

# What the columns of 0012 say of conversations that are there already: their place, and the newest reply's label.
PLACES = """
UPDATE outreach_thread t SET stands_at = r.heard, replied_at = r.person
FROM (
    SELECT thread_id, max(received_at) AS heard, max(received_at) FILTER (WHERE kind = 'reply') AS person
    FROM outreach_reply GROUP BY thread_id
) r
WHERE r.thread_id = t.id
"""
LABELS = """
UPDATE outreach_thread t SET label = r.label
FROM (
    SELECT DISTINCT ON (thread_id) thread_id, label FROM outreach_reply
    WHERE kind = 'reply' ORDER BY thread_id, received_at DESC
) r
WHERE r.thread_id = t.id AND r.label <> ''
"""


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0012_inbox'),
    ]

    operations = [
        migrations.RunSQL(sql=PLACES, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(sql=LABELS, reverse_sql=migrations.RunSQL.noop),
    ]
