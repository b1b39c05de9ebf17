"""Names, fields and options that are not as they should be."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from tests.upload.queued.made import between_folders
from upload.queued_storage import identity
from upload.queued_storage.fields import QueuedFieldFile, QueuedFileField

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_secrets_are_found_wherever_options_have_them() -> None:
    secret = "word-of-the-test"
    options = {
        "servers": [f"https://ada:{secret}@couch.example"],
        "logins": [{"user": "ada", "password": secret}],
        "nested": {"host": "records.example", "token": secret},
    }

    assert identity.without_secrets(options) == {"nested": {"host": "records.example"}}
    assert secret not in identity.redacted(f"ftp://ada:w@rd-{secret}@host/x", {})
