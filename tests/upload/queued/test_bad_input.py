"""Names, fields and options that are not as they should be."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.utils import timezone

from tests.upload.queued.made import FILE_SYSTEM, between_folders
from upload.queued_storage import identity
from upload.queued_storage.backends import QueuedStorage
from upload.queued_storage.fields import QueuedFieldFile, QueuedFileField

pytestmark = pytest.mark.django_db(transaction=True)


class Addressed(InMemoryStorage):
    """Cannot be made without an address, as GridFS."""

    def __init__(self, *, uri: str) -> None:
        super().__init__()


@pytest.mark.parametrize("name", [None, "", "/a.txt", "a/../..", "../a.txt"])
def test_a_name_is_refused_as_django_refuses_it(tmp_path: Path, name: Any) -> None:
    storage = between_folders(tmp_path)
    with pytest.raises(Exception) as expected:
        storage.local.save(name, ContentFile(b"x"))

    with pytest.raises(expected.type):
        storage.save(name, ContentFile(b"x"))


def test_a_field_without_a_file_says_so(tmp_path: Path) -> None:
    field = QueuedFileField(storage=between_folders(tmp_path))
    field.set_attributes_from_name("scan")

    with pytest.raises(ValueError, match="'scan' attribute has no file"):
        QueuedFieldFile(None, field, None).transfer()


def test_a_storage_of_a_migration_can_be_made(tmp_path: Path) -> None:
    storage = QueuedStorage(
        FILE_SYSTEM,
        f"{__name__}.Addressed",
        remote_options={"uri": "mongodb://ada:word-of-the-test@records.example/files"},
    )

    _path, args, kwargs = storage.deconstruct()  # type: ignore[attr-defined]

    assert "word-of-the-test" not in f"{args} {kwargs}"
    assert QueuedStorage(*args, **kwargs).storage_key == storage.storage_key


def test_memory_is_another_place_than_the_disk() -> None:
    storage = QueuedStorage(
        FILE_SYSTEM, "django.core.files.storage.InMemoryStorage", delayed=True
    )

    assert storage.local.path("a.txt") == storage.remote.path("a.txt")


@pytest.mark.parametrize("name", ["", None])
def test_no_name_is_no_file_to_transfer(tmp_path: Path, name: Any) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"x"))

    with pytest.raises(FileNotFoundError):
        storage.transfer(name)


def test_a_method_of_a_subclass_has_the_documents_name_too(tmp_path: Path) -> None:
    now = timezone.now()

    class Ours(QueuedStorage):
        local = remote = FILE_SYSTEM
        local_options = {"location": str(tmp_path)}

        def get_modified_time(self, name: str) -> datetime:
            return now

    assert Ours(remote_options={"location": "x"}).modified_time("a.txt") == now


def test_secrets_are_found_wherever_options_have_them() -> None:
    secret = "word-of-the-test"
    options = {
        "servers": [f"https://ada:{secret}@couch.example"],
        "logins": [{"user": "ada", "password": secret}],
        "nested": {"host": "records.example", "token": secret},
    }

    assert identity.without_secrets(options) == {
        "servers": ["https://couch.example"],
        "logins": [{"user": "ada"}],
        "nested": {"host": "records.example"},
    }
    assert secret not in identity.redacted(f"ftp://ada:w@rd-{secret}@host/x", {})
