"""Files to open by their URLs, and what came."""

from typing import Any

from tests.make import make_session
from upload.models import UploadSession
from upload.states import SessionStatus

S = SessionStatus
DIGITS = b"0123456789"


def only_file(session: UploadSession) -> Any:
    """Return the one file, temporary or permanent."""
    return session.tempuploadedfile_set.first() or session.permuploadedfile_set.first()


def file_of(owner: Any, status: S, name: str = "a.txt", content: bytes = DIGITS) -> Any:
    return only_file(make_session(status, {name: content}, user=owner))


def sent(response: Any) -> bytes:
    """Return the bytes; reading to the end closes the file."""
    return b"".join(response)


def doors(file: Any) -> list[str]:
    return [file.get_file_access_url(), file.get_file_media_url()]
