"""An instance that is older than its row changes nothing that has moved on since."""

from typing import Any

import pytest
from django.db import connection

from tests.make import aged, make_session, make_upload, set_status
from upload import tokens
from upload.models import PermUploadedFile, TempUploadedFile, UploadSession
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)


def again(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_a_file_deleted_twice_is_counted_out_once() -> None:
    session = make_session(S.UPLOADING)
    file = session.tempuploadedfile_set.earliest("pk")
    stale = again(file)

    file.delete()

    assert stale.delete() == (0, {})
    assert again(session).total_files == 1


def test_deleting_a_temporary_file_that_was_stored_meanwhile_counts_nothing_out() -> (
    None
):
    session = make_session(S.UPLOADING)
    stale = session.tempuploadedfile_set.earliest("pk")
    session.make_uploads_permanent()

    stale.delete()

    assert again(session).total_files == 2


def test_deleting_a_file_whose_bytes_were_removed_counts_it_out_once() -> None:
    session = make_session(S.UPLOADING)
    file = session.tempuploadedfile_set.earliest("pk")
    stale = again(file)
    file.remove()

    stale.delete()

    assert again(session).total_files == 1
    assert session.tempuploadedfile_set.count() == 1


def test_saving_an_old_instance_keeps_the_status_and_the_counts() -> None:
    stale = make_session(S.UPLOADING)
    session = again(stale)
    session.add_temp_file(make_upload("c.txt"))
    session.make_uploads_permanent()

    aged(stale, 1)

    found = again(stale)
    assert (found.status, found.total_files) == (S.STORED, 3)
    assert found.expires_on is None


def test_saving_an_old_instance_does_not_bring_back_a_renewed_token(
    superuser: Any,
) -> None:
    stale = make_session()
    session = again(stale)
    tokens.renew(session, superuser)

    stale.save()

    assert again(stale).token == session.token


def test_a_file_sent_into_a_session_that_was_emptied_meanwhile_moves_it_on() -> None:
    stale = make_session(S.UPLOADING, {"a.txt": b"alpha"})
    again(stale).remove_temp_file_by_name("a.txt")

    stale.add_temp_file(make_upload("b.txt"))

    found = again(stale)
    assert (found.status, found.total_files) == (S.UPLOADING, 1)


def test_temporary_files_are_not_removed_under_a_store_that_has_started() -> None:
    stale = make_session(S.UPLOADING)
    set_status(again(stale), S.COPYING_IN_PROGRESS)

    with pytest.raises(ValueError, match="Copying"):
        stale.remove_temp_uploads(save=False)

    assert stale.tempuploadedfile_set.count() == 2


def test_a_file_of_an_expired_session_does_not_become_permanent() -> None:
    session = make_session(S.UPLOADING)
    file = session.tempuploadedfile_set.earliest("pk")
    set_status(session, S.EXPIRED)

    with pytest.raises(ValueError, match="Expired"):
        file.move_to_permanent_storage()

    assert not PermUploadedFile.objects.exists()


def test_a_row_that_is_gone_does_not_become_permanent() -> None:
    session = make_session(S.UPLOADING)
    file = session.tempuploadedfile_set.earliest("pk")
    # Only the row goes, as in another transaction that has not unlinked yet.
    TempUploadedFile.objects.filter(pk=file.pk)._raw_delete(connection.alias)

    with pytest.raises(FileNotFoundError, match="has no bytes"):
        file.move_to_permanent_storage()

    assert not PermUploadedFile.objects.exists()


def test_the_name_of_a_file_that_became_permanent_stays_taken() -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"})
    session.tempuploadedfile_set.get().move_to_permanent_storage()

    with pytest.raises(ValueError, match=r"already has a file called “a\.txt”"):
        session.add_temp_file(make_upload("a.txt", b"other"))

    assert UploadSession.objects.get().total_files == 1


def test_a_status_assigned_by_hand_is_saved_as_django_does() -> None:
    session = make_session(S.UPLOADING)
    session.status = S.COPYING_FAILED

    session.save()

    assert again(session).status == S.COPYING_FAILED


def test_a_status_that_a_verb_wrote_is_not_written_again_by_a_later_save() -> None:
    session = make_session(S.UPLOADING)
    again(session).make_uploads_permanent()

    session.save()

    assert again(session).status == S.STORED
