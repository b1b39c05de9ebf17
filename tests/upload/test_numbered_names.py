"""Many files of one name in a session, as folders bring them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.make import make_session
from upload import names
from upload.models import TempUploadedFile, UploadSession
from upload.receive import Intent, receive
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
MANY = 1500


def crowd(session: UploadSession, numbers: Any) -> None:
    """Give the session rows of ``a.txt`` under the numbered names."""
    TempUploadedFile.objects.bulk_create(
        TempUploadedFile(session=session, name=names.numbered("a.txt", number))
        for number in numbers
    )


def sent(session: UploadSession) -> str:
    """Receive one more ``a.txt`` and return its name."""
    file = SimpleUploadedFile("a.txt", b"alpha")
    return str(receive(session, file, Intent(numbered=True)).name)


def test_thousands_of_one_name_are_received(
    django_assert_max_num_queries: Any, uploader: Any
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, user=uploader)
    crowd(session, range(2, MANY))

    with django_assert_max_num_queries(80):
        assert sent(session) == f"a ({MANY}).txt"


@pytest.mark.parametrize(
    ("taken", "name"),
    [((), "a (2).txt"), ((2,), "a (3).txt"), ((2, 3, 4), "a (5).txt")],
)
def test_the_next_number_is_taken(
    uploader: Any, taken: tuple[int, ...], name: str
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, user=uploader)
    crowd(session, taken)

    assert sent(session) == name


def test_a_number_that_was_given_up_may_be_taken_again(uploader: Any) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, user=uploader)
    crowd(session, (2, 4, 5))

    assert sent(session) in {"a (3).txt", "a (6).txt"}
