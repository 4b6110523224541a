import accounts.clock
import accounts.encryption
import accounts.tenancy
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Imports as rows of their own, and on each contact the import that made it. No row is rewritten."""

    dependencies = [
        ('accounts', '0006_mails_anchors'),
        ('outreach', '0024_paused_people'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportPart',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('file', 'The file as it came'), ('rows', 'Rows that were read'), ('seen', 'Hashes of the addresses that came before'), ('rejects', 'Rows that were rejected, with their reasons'), ('journal', 'What was filled in at people known before')], max_length=7)),
                ('start', models.PositiveIntegerField()),
                ('content', accounts.encryption.EncryptedBytesField(default='')),
                ('created_at', models.DateTimeField(db_default=accounts.clock.Now())),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='contact',
            name='touched_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='ContactImport',
            fields=[
                ('id', models.UUIDField(default=accounts.tenancy.uuid7, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('checking', 'Being read and checked'), ('checked', 'Waiting for your word'), ('storing', 'Being stored'), ('done', 'Done'), ('refused', 'Not read'), ('cancelled', 'Cancelled'), ('undoing', 'Being undone'), ('undone', 'Undone')], default='checking', max_length=9)),
                ('filename', accounts.encryption.EncryptedTextField(default='')),
                ('shape', models.CharField(choices=[('table', 'A table whose first row names the columns'), ('cells', 'A table without names'), ('lines', 'Lines as people write them')], default='table', max_length=5)),
                ('encoding', models.CharField(blank=True, max_length=40)),
                ('delimiter', models.CharField(blank=True, max_length=1)),
                ('columns', accounts.encryption.EncryptedTextField(default='')),
                ('headers_index', models.BinaryField(max_length=32, null=True)),
                ('mapping', models.JSONField(blank=True, default=dict)),
                ('basis', models.CharField(choices=[('legitimate', 'Legitimate interest'), ('consent', 'Consent'), ('customer', 'Existing customer')], default='legitimate', max_length=10)),
                ('source', models.CharField(blank=True, max_length=200)),
                ('problem', accounts.encryption.EncryptedTextField(default='')),
                ('rows', models.PositiveIntegerField(null=True)),
                ('done_rows', models.PositiveIntegerField(default=0)),
                ('readings', models.PositiveSmallIntegerField(default=0)),
                ('leased_until', models.DateTimeField(null=True)),
                ('new', models.PositiveIntegerField(default=0)),
                ('known', models.PositiveIntegerField(default=0)),
                ('blocked', models.PositiveIntegerField(default=0)),
                ('rejected', models.PositiveIntegerField(default=0)),
                ('filled', models.PositiveIntegerField(default=0)),
                ('removed', models.PositiveIntegerField(default=0)),
                ('emptied', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=accounts.clock.Now())),
                ('ended_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='contact',
            name='imported_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='people', to='outreach.contactimport'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('imported_by__isnull', False)), fields=['imported_by'], name='contact_of_import'),
        ),
        migrations.AddField(
            model_name='importpart',
            name='contact_import',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='outreach.contactimport'),
        ),
        migrations.AddField(
            model_name='importpart',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace'),
        ),
        migrations.AddIndex(
            model_name='contactimport',
            index=models.Index(fields=['workspace', '-created_at', '-id'], name='import_newest_first'),
        ),
        migrations.AddIndex(
            model_name='contactimport',
            index=models.Index(condition=models.Q(('state__in', ('checking', 'storing', 'undoing'))), fields=['workspace'], name='import_at_work'),
        ),
        migrations.AddConstraint(
            model_name='importpart',
            constraint=models.UniqueConstraint(fields=('contact_import', 'kind', 'start'), name='one_part_per_place'),
        ),
    ]
