"""Plain statements find what querysets would have found."""

from uuid import uuid4

import pytest

from tests.make import make_session, make_user
from upload import transitions
from upload.errors import LimitExceeded
from upload.models import SessionEvent, UploadSession
from upload.plain_sql import find_row, has_row, insert_row
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db


def test_a_row_is_found_by_all_of_its_values_only() -> None:
    session = make_session()
    assert has_row(UploadSession, uuid=session.uuid)
    assert has_row(UploadSession, uuid=session.uuid, status=session.status)
    assert not has_row(UploadSession, uuid=session.uuid, status=SessionStatus.EXPIRED)
    assert not has_row(UploadSession, uuid=uuid4())


def test_a_row_is_what_the_manager_finds() -> None:
    session = make_session(SessionStatus.UPLOADING, {"é.txt": b"alpha"}, make_user("a"))
    for row in (session, session.user, session.tempuploadedfile_set.get()):
        model = type(row)
        found = find_row(model, id=row.pk)
        expected = model._default_manager.get(pk=row.pk)
        assert found == expected
        for field in model._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(expected, field.attname)
    assert find_row(UploadSession, uuid=uuid4()) is None


def test_an_inserted_row_has_its_key_and_may_be_saved_again() -> None:
    session = make_session(user=make_user("a"))
    told = {"size": 7, "text": "”é"}
    row = SessionEvent(session=session, session_uuid=session.uuid, detail=told)

    insert_row(row)

    assert SessionEvent.objects.get(pk=row.pk).detail == told
    assert not row._state.adding


def test_a_name_that_is_no_column_is_refused() -> None:
    with pytest.raises(KeyError):
        has_row(SessionEvent, session=1)


def test_a_value_is_never_a_part_of_the_statement() -> None:
    assert not has_row(SessionEvent, code="' OR '1'='1")


def test_a_file_is_counted_with_its_bytes_and_moves_the_expiry() -> None:
    session = make_session(SessionStatus.UPLOADING, files={"a.txt": b"alpha"})
    UploadSession.objects.update(expires_on=None)
    transitions.admit_file(session, 5)
    session.refresh_from_db()
    assert (session.total_files, session.total_size_bytes) == (2, 10)
    assert session.expires_on > session.last_upload_interaction_time


def test_a_file_of_a_session_that_never_expires_is_counted(settings) -> None:  # type: ignore[no-untyped-def]
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = -1
    session = make_session(SessionStatus.UPLOADING, files={"a.txt": b"alpha"})
    transitions.admit_file(session, 5)
    session.refresh_from_db()
    assert (session.total_files, session.expires_on) == (2, None)


def test_a_full_session_counts_no_file(settings) -> None:  # type: ignore[no-untyped-def]
    settings.MAX_TOTAL_UPLOAD_COUNT = 2
    session = make_session(SessionStatus.UPLOADING, files={"a.txt": b"alpha"})
    transitions.admit_file(session, 5)
    with pytest.raises(LimitExceeded):
        transitions.admit_file(session, 5)
    session.refresh_from_db()
    assert session.total_files == 2
