"""The search's index of file names on SQLite; see ``upload.name_index``. Reversible."""

import warnings

from django.db import OperationalError, migrations, transaction

INDEXES = (
    "upload_tempuploadedfile_names",
    "upload_permuploadedfile_names",
    "upload_submission_names",
)
# It holds which names have which three characters, and nothing else.
HOW = "fts5(name, content='', columnsize=0, detail='none', tokenize='trigram')"
UNKNOWN = ("no such module", "no such tokenizer")
MISSING = """\
This SQLite has no FTS5 with trigrams (3.34 or later), so the search reads every file's
name: slow with millions of files. With a newer one, migrate upload back to 0015 and
forward again.
"""


def make_indexes(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    try:
        with transaction.atomic(schema_editor.connection.alias):
            for name in INDEXES:
                schema_editor.execute(f"CREATE VIRTUAL TABLE {name} USING {HOW}")
    except OperationalError as error:
        if not str(error).startswith(UNKNOWN):
            raise
        warnings.warn(MISSING, stacklevel=1)


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for name in INDEXES:
            schema_editor.execute(f"DROP TABLE IF EXISTS {name}")
        apps.get_model("upload", "Rollup").objects.filter(name="names").delete()


class Migration(migrations.Migration):

    dependencies = [("upload", "0015_reasons_told")]

    operations = [migrations.RunPython(make_indexes, drop_indexes)]
