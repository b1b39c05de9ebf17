"""Indexes for a million sessions, and the table of counted figures.

The search's trigram indexes are made on PostgreSQL only, by hand: no index of Django's
does this and exists on SQLite too. Reversible.
"""

import warnings

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# As the search asks: UPPER(name) LIKE UPPER('%phrase%').
TRIGRAMS = {
    "temp_name_trigrams": ("upload_tempuploadedfile", "name"),
    "perm_name_trigrams": ("upload_permuploadedfile", "name"),
    "draft_title_trigrams": ("upload_inprogresssubmission", "title"),
    "submission_title_trigrams": ("upload_submission", "title"),
    "accession_trigrams": ("upload_submission", "accession_number"),
}
MISSING = """\
PostgreSQL has no pg_trgm here, so the search reads every file's name: slow with
millions of files. Install its contrib package, then run as the database's owner:
CREATE EXTENSION pg_trgm; and the statements of upload/migrations/0008_scale.py.
"""


def make_trigram_indexes(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if not cursor.fetchone():
            warnings.warn(MISSING, stacklevel=1)
            return
    # Trusted since PostgreSQL 13: the database's owner may.
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for name, (table, column) in TRIGRAMS.items():
        schema_editor.execute(
            f"CREATE INDEX {name} ON {table} USING gin (UPPER({column}) gin_trgm_ops)"
        )


def drop_trigram_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in TRIGRAMS:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):

    dependencies = [
        ('upload', '0005_unfinished_uploads'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Rollup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=32, unique=True, verbose_name='name')),
                ('counted_at', models.DateTimeField(verbose_name='counted')),
                ('figures', models.JSONField(default=dict, verbose_name='figures')),
            ],
            options={
                'verbose_name': 'figures',
                'verbose_name_plural': 'figures',
            },
        ),
        migrations.RemoveIndex(
            model_name='uploadsession',
            name='session_last',
        ),
        migrations.RemoveIndex(
            model_name='uploadsession',
            name='session_size',
        ),
        migrations.AddIndex(
            model_name='uploadsession',
            index=models.Index(fields=['status', 'id'], name='session_by_status'),
        ),
        migrations.AddIndex(
            model_name='uploadsession',
            index=models.Index(fields=['last_upload_interaction_time', 'id'], name='session_by_last'),
        ),
        migrations.AddIndex(
            model_name='uploadsession',
            index=models.Index(fields=['expires_on', 'id'], name='session_by_expiry'),
        ),
        migrations.AddIndex(
            model_name='uploadsession',
            index=models.Index(fields=['total_files', 'id'], name='session_by_files'),
        ),
        migrations.AddIndex(
            model_name='uploadsession',
            index=models.Index(fields=['total_size_bytes', 'id'], name='session_by_size'),
        ),
        migrations.AlterField(
            model_name='permuploadedfile',
            name='session',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='upload.uploadsession', verbose_name='session'),
        ),
        migrations.AlterField(
            model_name='tempuploadedfile',
            name='session',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='upload.uploadsession', verbose_name='session'),
        ),
        migrations.AddIndex(
            model_name='permuploadedfile',
            index=models.Index(fields=['session', 'id'], name='perm_of_session'),
        ),
        migrations.AddIndex(
            model_name='tempuploadedfile',
            index=models.Index(fields=['session', 'id'], name='temp_of_session'),
        ),
        migrations.RunPython(make_trigram_indexes, drop_trigram_indexes),
    ]
