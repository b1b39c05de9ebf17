"""What is set up wrongly is told where it is set up, not by the first file."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import ERROR, WARNING
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import models
from django.test.utils import isolate_apps

from tests.upload.queued.made import FILE_SYSTEM, between_folders
from upload.queued_storage import registry
from upload.queued_storage.backends import QueuedStorage
from upload.queued_storage.checks import check_storages
from upload.queued_storage.models import QueuedFile

pytestmark = pytest.mark.django_db(transaction=True)

BACKEND = "upload.queued_storage.backends.QueuedStorage"
REMOTES = "upload.queued_storage.remotes"
WRONG_TASKS = [
    "tests.upload.queued.test_setting_up.NoSuchTask",
    "queued_storage.tasks.Transfer",
    "collections.OrderedDict",
    "os.path.join",
]


def alias(settings: Any, **options: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "queued": {"BACKEND": BACKEND, "OPTIONS": options}
    }


@pytest.mark.parametrize("side", ["local", "remote"])
@pytest.mark.parametrize("path", ["collections.OrderedDict", "os.path.join"])
def test_what_is_no_storage_is_refused(side: str, path: str, tmp_path: Path) -> None:
    paths = {"local": FILE_SYSTEM, "remote": FILE_SYSTEM} | {side: path}

    with pytest.raises(ImproperlyConfigured, match=f"{side} storage “{path}” is no"):
        QueuedStorage(**paths)


@pytest.mark.parametrize(("here", "there"), [("a", "a/b"), ("a/b/c", "a")])
def test_a_folder_inside_the_others_is_refused(
    here: str, there: str, tmp_path: Path
) -> None:
    with pytest.raises(ImproperlyConfigured, match="one inside the other"):
        between_folders(
            tmp_path,
            local_options={"location": str(tmp_path / here)},
            remote_options={"location": str(tmp_path / there)},
        )


def test_folders_of_like_names_are_apart(tmp_path: Path) -> None:
    between_folders(
        tmp_path,
        local_options={"location": str(tmp_path / "a")},
        remote_options={"location": str(tmp_path / "ab")},
    )


@pytest.mark.parametrize(
    ("local", "found"),
    [
        (FileSystemStorage, r"found: django\.core\.files.*FileSystemStorage\."),
        (None, r"found: nothing\."),
        (7, r"found: int\."),
    ],
)
def test_what_is_no_path_is_named(local: Any, found: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=found):
        QueuedStorage(local, FILE_SYSTEM)


def test_options_that_are_no_dictionary_are_named() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"remote_options.*found: str"):
        QueuedStorage(FILE_SYSTEM, FILE_SYSTEM, {}, "abc")  # type: ignore[arg-type]


@pytest.mark.parametrize("task", WRONG_TASKS)
def test_a_wrong_task_is_refused_by_the_first_file(tmp_path: Path, task: str) -> None:
    storage = between_folders(tmp_path, task=task)
    (tmp_path / "here").mkdir()
    (tmp_path / "here/old.txt").write_bytes(b"old")

    for act in (
        lambda: storage.save("a.txt", ContentFile(b"x")),
        lambda: storage.transfer("old.txt"),
        lambda: storage.note_placed([]),
    ):
        with pytest.raises(ImproperlyConfigured, match=task):
            act()

    assert not (tmp_path / "here/a.txt").exists()
    assert QueuedFile.objects.count() == 0


@pytest.mark.parametrize("task", WRONG_TASKS)
def test_the_check_tells_of_a_wrong_task(
    tmp_path: Path, settings: Any, task: str
) -> None:
    alias(
        settings,
        local=FILE_SYSTEM,
        remote=FILE_SYSTEM,
        local_options={"location": str(tmp_path / "here")},
        remote_options={"location": str(tmp_path / "there")},
        task=task,
    )

    (found,) = check_storages()

    assert (found.id, found.level) == ("queued_storage.E001", ERROR)
    assert task in found.msg
    assert "STORAGES['queued']" in str(found.obj)


@isolate_apps("tests")
def test_the_check_tells_which_field_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Scan(models.Model):  # noqa: DJ008 - never shown
        image = models.FileField(storage=between_folders(tmp_path, task="no.Such"))

        class Meta:
            app_label = "tests"

    monkeypatch.setattr(registry.apps, "get_models", lambda: [Scan])

    (found,) = check_storages()

    assert str(found.obj) == "tests.Scan.image"


def test_the_check_tells_of_an_alias_that_cannot_be_made(settings: Any) -> None:
    alias(settings, local=FILE_SYSTEM, remote="no.such.Storage")

    (found,) = check_storages()

    assert (found.id, found.level) == ("queued_storage.E001", ERROR)
    assert "no.such.Storage" in found.msg


@pytest.mark.parametrize(
    ("remote", "option"),
    [
        ("s3.VerifiedS3Storage", "bucket_name"),
        ("azure.VerifiedAzureStorage", "azure_container"),
        ("gcs.VerifiedGoogleCloudStorage", "bucket_name"),
        ("database.DatabaseStorage", "INSTALLED_APPS"),
    ],
)
def test_the_check_warns_of_an_option_that_is_missing(
    settings: Any, monkeypatch: pytest.MonkeyPatch, remote: str, option: str
) -> None:
    alias(settings, local=FILE_SYSTEM, remote=f"{REMOTES}.{remote}")
    monkeypatch.setattr(registry.apps, "is_installed", lambda name: False)

    (found,) = check_storages()

    assert (found.id, found.level) == ("queued_storage.W001", WARNING)
    assert option in found.msg
    with pytest.raises(ImproperlyConfigured, match=option):
        registry.storages["queued"].remote.exists("a.txt")


def test_the_check_finds_nothing_wrong_here() -> None:
    assert check_storages() == []


@pytest.mark.parametrize(
    "path", ["queued_storage.backends.QueuedStorage", f"{BACKEND}WithATypo"]
)
def test_a_class_that_is_not_there_is_told(settings: Any, path: str) -> None:
    settings.STORAGES = settings.STORAGES | {"queued": {"BACKEND": path}}

    (error,) = check_storages()

    assert error.id == "queued_storage.E001"
    assert path in error.msg
    assert "STORAGES['queued']" in str(error.obj)


def test_a_queue_that_nobody_named_is_told(settings: Any) -> None:
    settings.Q_CLUSTER = {}

    assert [told.id for told in check_storages()] == ["queued_storage.W002"]
