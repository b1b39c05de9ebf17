"""The documented interface: arguments, classes, fields, tasks, migrations."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, storages
from django.db import models
from django.db.migrations.writer import MigrationWriter
from django.dispatch import receiver
from django.test.utils import isolate_apps

from tests.upload.queued.made import (
    DELETING_TASK,
    FILE_SYSTEM,
    between_folders,
    content,
    known,
    to_remote,
    work,
)
from tests.upload.queued.remotes import entry_of
from upload.queued_storage import backends, tasks
from upload.queued_storage.backends import (
    QueuedFileSystemStorage,
    QueuedMogileFSStorage,
    QueuedS3BotoStorage,
    QueuedStorage,
)
from upload.queued_storage.fields import QueuedFieldFile, QueuedFileField
from upload.queued_storage.signals import file_transferred

pytestmark = pytest.mark.django_db(transaction=True)

ARGUMENTS = [
    *("local", "remote", "local_options", "remote_options", "cache_prefix"),
    *("delayed", "task"),
]
METHODS = {
    *("get_storage", "get_cache_key", "using_local", "using_remote", "open", "save"),
    *("transfer", "get_valid_name", "get_available_name", "path", "delete", "exists"),
    *("listdir", "size", "url", "accessed_time", "created_time", "modified_time"),
    *("get_accessed_time", "get_created_time", "get_modified_time"),
    "generate_filename",
}
NAMED = [name for name in backends.__all__ if name != "QueuedStorage"]


def test_the_arguments_are_those_of_the_document() -> None:
    named = list(inspect.signature(QueuedStorage.__init__).parameters)

    assert named[1 : len(ARGUMENTS) + 1] == ARGUMENTS


@pytest.mark.parametrize("name", sorted(METHODS))
def test_each_documented_method_is_there(name: str) -> None:
    assert callable(getattr(QueuedStorage, name))


@pytest.mark.parametrize("name", NAMED)
def test_each_class_takes_any_remote_by_its_path(name: str, tmp_path: Path) -> None:
    storage = getattr(backends, name)(
        remote=FILE_SYSTEM,
        local_options={"location": str(tmp_path / "here")},
        remote_options={"location": str(tmp_path / "there")},
        delayed=True,
        task=DELETING_TASK,
    )

    assert isinstance(storage, QueuedFileSystemStorage)
    assert isinstance(storage.local, FileSystemStorage)
    assert (storage.remote_path, storage.delayed) == (FILE_SYSTEM, True)
    assert storage.task == DELETING_TASK


def test_mogilefs_without_a_remote_says_what_to_do() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"by its dotted path.*QueuedS3"):
        QueuedMogileFSStorage()


def test_storages_themselves_are_refused(tmp_path: Path) -> None:
    place = FileSystemStorage(str(tmp_path))

    with pytest.raises(ImproperlyConfigured, match="dotted path"):
        QueuedStorage(place, FILE_SYSTEM)  # type: ignore[arg-type]
    with pytest.raises(ImproperlyConfigured, match="dotted path"):
        QueuedStorage(FILE_SYSTEM, place)  # type: ignore[arg-type]
    with pytest.raises(ImproperlyConfigured, match="dotted path"):
        QueuedStorage(FILE_SYSTEM)


def test_wrong_options_are_named_without_their_values() -> None:
    with pytest.raises(ImproperlyConfigured, match="password") as raised:
        QueuedStorage(FILE_SYSTEM, FILE_SYSTEM, {}, {"password": "word-of-the-test"})

    assert "word-of-the-test" not in str(raised.value)


def test_attributes_of_a_subclass_stand_for_arguments(tmp_path: Path) -> None:
    class Ours(QueuedStorage):
        local = FILE_SYSTEM
        remote = FILE_SYSTEM
        local_options = {"location": str(tmp_path / "here")}
        remote_options = {"location": str(tmp_path / "there")}
        cache_prefix = "ours"
        delayed = True

    storage = Ours()

    assert storage.local.path("a") == str(tmp_path / "here/a")
    assert storage.get_cache_key("a").startswith("ours:")
    assert storage.delayed is True


def test_an_alias_of_storages_is_found_by_a_worker(
    tmp_path: Path, settings: Any
) -> None:
    options = {
        "local": FILE_SYSTEM,
        "remote": FILE_SYSTEM,
        "local_options": {"location": str(tmp_path / "here")},
        "remote_options": {"location": str(tmp_path / "there")},
    }
    backend = "upload.queued_storage.backends.QueuedStorage"
    settings.STORAGES = settings.STORAGES | {
        "queued": {"BACKEND": backend, "OPTIONS": options}
    }

    storages["queued"].save("a.txt", ContentFile(b"bytes"))
    work()

    assert (tmp_path / "there/a.txt").read_bytes() == b"bytes"


def test_a_task_is_run_by_hand(tmp_path: Path) -> None:
    here, there = ({"location": str(tmp_path / name)} for name in ("here", "there"))
    FileSystemStorage(**here).save("a.txt", ContentFile(b"bytes"))

    result = tasks.TransferAndDelete().run(
        "a.txt", "key", FILE_SYSTEM, FILE_SYSTEM, here, there
    )

    assert result is True
    assert (tmp_path / "there/a.txt").read_bytes() == b"bytes"
    assert not (tmp_path / "here/a.txt").exists()


def test_the_retries_are_those_of_the_settings(settings: Any) -> None:
    settings.QUEUED_STORAGE_RETRIES = 7
    settings.QUEUED_STORAGE_RETRY_DELAY = 3

    assert tasks.Transfer.max_retries == 7
    assert tasks.TransferAndDelete().default_retry_delay == 3


def test_a_migration_holds_the_storage_and_no_secret() -> None:
    storage = QueuedStorage(
        FILE_SYSTEM,
        "upload.queued_storage.remotes.ftp.StreamingFTPStorage",
        remote_options={
            "host": "records.example",
            "username": "ada",
            "password": "word-of-the-test",
        },
    )

    written, imports = MigrationWriter.serialize(storage)

    assert "upload.queued_storage.backends.QueuedStorage(" in written
    assert imports == {"import upload.queued_storage.backends"}
    assert "records.example" in written
    assert "word-of-the-test" not in written


@isolate_apps("tests")
def test_the_documents_examples(
    tmp_path: Path, request: pytest.FixtureRequest, settings: Any
) -> None:
    entry = entry_of("s3", request)
    settings.MEDIA_ROOT = str(tmp_path / "media")
    for name, value in entry["OPTIONS"].items():
        setattr(settings, f"AWS_{_AWS.get(name, name).upper()}", value)
    transferred: list[str] = []

    queued_s3storage = QueuedStorage(
        "django.core.files.storage.FileSystemStorage",
        "storages.backends.s3boto.S3BotoStorage",
    )
    s3_delete_storage = QueuedS3BotoStorage(
        task="upload.queued_storage.tasks.TransferAndDelete"
    )

    class MyModel(models.Model):  # noqa: DJ008 - as the document has it
        image = models.FileField(storage=queued_s3storage)
        other = models.FileField(storage=s3_delete_storage)
        by_hand = QueuedFileField(storage=QueuedS3BotoStorage(delayed=True))

        class Meta:
            app_label = "tests"

    @receiver(file_transferred)
    def log_file_transferred(
        sender: Any, name: str, local: Any, remote: Any, **kwargs: Any
    ) -> None:
        transferred.append(remote.url(name))

    my_obj = MyModel()
    for field in ("image", "other", "by_hand"):
        getattr(my_obj, field).save(
            f"{field}.png", ContentFile(field.encode()), save=False
        )
    work()

    assert len(transferred) == 2
    my_obj.by_hand.transfer()
    work()
    assert isinstance(my_obj.by_hand, QueuedFieldFile)
    assert len(transferred) == 3
    assert not (tmp_path / "media/other.png").exists()
    assert my_obj.other.read() == b"other"
    my_obj.other.close()


# Where django-storages' settings are not called as its options are.
_AWS = {
    "access_key": "s3_access_key_id",
    "secret_key": "s3_secret_access_key",
    "bucket_name": "storage_bucket_name",
    "endpoint_url": "s3_endpoint_url",
    "region_name": "s3_region_name",
    "signature_version": "s3_signature_version",
    "addressing_style": "s3_addressing_style",
}


def test_an_uploaded_file_on_disk_is_moved_and_hashed(tmp_path: Path) -> None:
    from django.core.files.uploadedfile import TemporaryUploadedFile

    storage = between_folders(tmp_path)
    upload = TemporaryUploadedFile("a.txt", "text/plain", 5, None)
    upload.write(b"bytes")
    upload.seek(0)

    name = storage.save("a.txt", upload)
    work()

    assert known(storage, name).state == "both"
    assert known(storage, name).sha256


@pytest.mark.parametrize("kind", ["s3", "sftp-rclone"])
def test_a_renamed_file_is_read_whichever_way(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    entry = entry_of(kind, request)
    storage = to_remote(tmp_path, entry, task=DELETING_TASK)
    storage.remote.save("a.txt", File(ContentFile(b"a stranger's"), "a.txt"))

    storage.save("a.txt", ContentFile(b"ours"))
    work()

    assert content(storage, "a.txt") == b"ours"
    assert content(storage.remote, "a.txt") == b"a stranger's"
    side = storage.get_storage("a.txt")
    assert (side.size("a.txt"), content(side, "a.txt")) == (4, b"ours")
