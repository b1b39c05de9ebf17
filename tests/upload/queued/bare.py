"""A project with nothing but what the documentation names: ``python bare.py FOLDER``.

It saves three files, lets a cluster of django-q2 work, and prints where they are.
"""

import sys
import time
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 30.0
RECOVER = "upload.queued_storage.tasks.recover"


def configure(folder: Path) -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="of-a-test",
        INSTALLED_APPS=["django_q", "upload.queued_storage"],
        DATABASES={"default": _database(folder)},
        MEDIA_ROOT=str(folder / "media"),
        MEDIA_URL="/media/",
        USE_TZ=True,
        Q_CLUSTER={"orm": "default", "workers": 1, "timeout": 600, "retry": 900},
        STORAGES={
            "default": {
                "BACKEND": "upload.queued_storage.backends.QueuedFileSystemStorage",
                "OPTIONS": {
                    "remote": "django.core.files.storage.FileSystemStorage",
                    "remote_options": {"location": str(folder / "there")},
                },
            }
        },
    )
    django.setup()


def _database(folder: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / "db.sqlite3"),
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }


def main(folder: Path) -> None:
    configure(folder)
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from django.core.management import call_command
    from django.db.migrations.recorder import MigrationRecorder
    from django_q.cluster import Cluster
    from django_q.models import Schedule

    from upload.queued_storage.models import QueuedFile

    call_command("check", fail_level="WARNING")
    call_command("migrate", verbosity=0)
    # The first save queues a task, which must not end what is being read.
    reading = MigrationRecorder.Migration.objects.iterator(chunk_size=1)
    next(reading)
    for number in range(3):
        default_storage.save(f"{number}.txt", ContentFile(b"bytes"))
    assert list(reading)
    Schedule.objects.create(func=RECOVER, schedule_type=Schedule.MINUTES, minutes=1)
    cluster = Cluster()
    cluster.start()
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if not QueuedFile.objects.exclude(state="both").exists():
            break
        time.sleep(0.1)
    cluster.stop()
    for row in QueuedFile.objects.all():
        sys.stdout.write(f"{row.name} {row.state}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
