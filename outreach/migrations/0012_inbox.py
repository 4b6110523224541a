import accounts.clock
import accounts.encryption
import accounts.tenancy
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# The words of a row lie beside it: a search by the index reads none of them.
BESIDE = """
ALTER TABLE outreach_threadwords ALTER COLUMN words SET STORAGE EXTERNAL;
ALTER TABLE outreach_threadwords SET (toast_tuple_target = 128)
"""
# Comparing arrays is not leakproof, so that behind a policy PostgreSQL would not use the index of the words. This
# runs as the tables' owner, to whom the policy of this one table does not apply (accounts/walls/rules.py), holds to
# the workspace that the policy would hold to, and gives ids; the rows themselves are read behind the wall. To read
# the whole table, or all of one workspace (hence the text), looks cheap to the planner, which does not count that
# each row's words lie elsewhere.
FIND = """
CREATE FUNCTION outreach_threads_with(of_words bigint[], most integer)
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT w.thread_id FROM outreach_threadwords w
    WHERE w.words @> of_words
        AND w.workspace_id::text = current_setting('app.workspace', true)
    LIMIT most
$$;
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION outreach_threads_with(bigint[], integer) SET search_path = pg_catalog, %I, pg_temp',
        current_schema());
END $$;
ALTER FUNCTION outreach_threads_with(bigint[], integer) SET enable_seqscan = off
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_mails_anchors'),
        ('mailbox', '0007_living_keeps_its_plan'),
        ('outreach', '0011_what_a_mail_writes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.uuid7, editable=False, primary_key=True, serialize=False)),
                ('text', accounts.encryption.EncryptedTextField(default='')),
                ('created_at', models.DateTimeField(db_default=accounts.clock.Now())),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ThreadWords',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.uuid7, editable=False, primary_key=True, serialize=False)),
                ('words', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='thread',
            name='assignee',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.membership'),
        ),
        migrations.AddField(
            model_name='thread',
            name='assignment',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='thread',
            name='indexed',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='thread',
            name='label',
            field=models.CharField(blank=True, choices=[('interested', 'Interested'), ('question', 'Question'), ('says_removed', 'Says it is removed'), ('placed', 'Link placed'), ('asks_payment', 'Asks for payment'), ('not_now', 'Not now'), ('declined', 'Declined'), ('wrong_person', 'Wrong person'), ('out_of_office', 'Out of office'), ('opted_out', 'Opted out'), ('unclear', 'Unclear')], db_default='', default='', max_length=13),
        ),
        migrations.AddField(
            model_name='thread',
            name='replied_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='thread',
            name='snoozed_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='thread',
            name='stands_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='thread',
            name='unread',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='note',
            name='author',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='note',
            name='mailbox',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mailbox.mailbox'),
        ),
        migrations.AddField(
            model_name='note',
            name='thread',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='outreach.thread'),
        ),
        migrations.AddField(
            model_name='note',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace'),
        ),
        migrations.AddField(
            model_name='threadwords',
            name='thread',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='outreach.thread'),
        ),
        migrations.AddField(
            model_name='threadwords',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace'),
        ),
        migrations.AddIndex(
            model_name='note',
            index=models.Index(fields=['workspace', 'thread', 'created_at'], name='note_in_thread'),
        ),
        migrations.AddIndex(
            model_name='threadwords',
            index=django.contrib.postgres.indexes.GinIndex(fields=['words'], gin_pending_list_limit=512, name='thread_words'),
        ),
        migrations.RunSQL(sql=BESIDE, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(sql=FIND, reverse_sql='DROP FUNCTION outreach_threads_with(bigint[], integer)'),
    ]
