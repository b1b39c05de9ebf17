"""Deleting rows in every way Django knows: bytes go with the commit, or stay."""

import errno
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from tests.make import make_session
from tests.upload.http import stored_files
from upload import discard
from upload.models import PermUploadedFile, TempUploadedFile, UploadSession
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db(transaction=True)


class TakenBack(Exception):
    """Raised to roll a transaction back."""


def delete_row(session: UploadSession) -> None:
    for row in (*session.tempuploadedfile_set.all(), *permanent(session)):
        row.delete()


def permanent(session: UploadSession) -> Any:
    return session.permuploadedfile_set.all()


def delete_in_bulk(session: UploadSession) -> None:
    session.tempuploadedfile_set.all().delete()
    permanent(session).delete()


def delete_by_cascade(session: UploadSession) -> None:
    session.delete()


WAYS = [delete_row, delete_in_bulk, delete_by_cascade]


def bytes_kept() -> int:
    return len(stored_files("temp")) + len(stored_files("uploaded"))


def rows_kept() -> int:
    return TempUploadedFile.objects.count() + PermUploadedFile.objects.count()


@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_bytes_stay_where_the_delete_is_rolled_back(
    way: Callable[[UploadSession], None], status: S
) -> None:
    session = make_session(status)

    with pytest.raises(TakenBack), transaction.atomic():
        way(session)
        raise TakenBack

    assert (rows_kept(), bytes_kept()) == (2, 2)


@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_bytes_go_only_when_the_delete_has_committed(
    way: Callable[[UploadSession], None], status: S
) -> None:
    session = make_session(status)

    with transaction.atomic():
        way(session)
        assert bytes_kept() == 2

    assert (rows_kept(), bytes_kept()) == (0, 0)


def test_what_the_disk_says_after_the_commit_does_not_undo_the_delete(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = make_session(S.UPLOADING)

    def fail(*args: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("upload.paths.prune_empty", fail)
    discard.temporary_batch(session)

    assert rows_kept() == 0
    assert "could not be synced" in caplog.text
