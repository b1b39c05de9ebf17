"""Whoever takes one file out of a session at one instant never waits in a circle."""

from typing import Any

import pytest
from django.db import OperationalError

from tests.make import make_session
from tests.racing import race
from upload.models import TempUploadedFile, UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("round_", range(8))
def test_a_file_taken_out_in_three_ways_at_once_is_counted_out_once(
    round_: int,
) -> None:
    session = make_session(SessionStatus.UPLOADING)
    first = session.tempuploadedfile_set.earliest("pk")
    files = [TempUploadedFile.objects.get(pk=first.pk) for _way in range(3)]
    mine = UploadSession.objects.get(pk=session.pk)
    ways: list[Any] = [
        lambda: mine.remove_temp_file_by_name(first.name),
        files[1].delete,
        files[2].remove,
    ]

    told = race(3, lambda way: ways[way]())

    assert not [error for error in told if isinstance(error, OperationalError)]
    session.refresh_from_db()
    assert session.total_files == 1
