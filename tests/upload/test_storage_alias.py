"""The document's callables: aliases looked up at each use."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db.migrations.writer import MigrationWriter
from django.db.models import FileField

from upload.storage import (
    DurableFileSystemStorage,
    TempFileStorage,
    UploadedFileStorage,
    receive_into,
)

KEY = "ab/session/cd/file"


@pytest.fixture
def durable(tmp_path: Path) -> DurableFileSystemStorage:
    return DurableFileSystemStorage(tmp_path / "root")


def content_of(storage: Storage, key: str) -> bytes:
    with storage.open(key) as file:
        return bytes(file.read())


def files_below(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


@pytest.mark.parametrize(
    ("make", "alias"), [(TempFileStorage, "temp"), (UploadedFileStorage, "uploaded")]
)
def test_an_alias_follows_the_settings(
    settings: Any, tmp_path: Path, make: Any, alias: str
) -> None:
    storage = make()
    for number in (1, 2):
        settings.STORAGES = settings.STORAGES | {
            alias: {
                "BACKEND": "upload.storage.DurableFileSystemStorage",
                "OPTIONS": {"location": tmp_path / str(number)},
            }
        }
        storage.save("a.txt", ContentFile(b"x"))

    assert files_below(tmp_path) == ["1/a.txt", "2/a.txt"]


def test_any_storage_may_stand_behind_an_alias(settings: Any) -> None:
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"temp": memory}

    receive_into(TempFileStorage(), KEY, [b"x"])

    assert content_of(TempFileStorage(), KEY) == b"x"


def test_a_field_takes_the_callable_and_migrations_name_it() -> None:
    field: Any = FileField(storage=TempFileStorage)

    _name, _path, _args, kwargs = field.deconstruct()

    assert kwargs["storage"] is TempFileStorage


def test_storages_can_be_written_into_a_migration(
    durable: DurableFileSystemStorage,
) -> None:
    for storage in (TempFileStorage(), durable):
        text, _imports = MigrationWriter.serialize(storage)
        assert text.startswith(f"upload.storage.{type(storage).__name__}(")
