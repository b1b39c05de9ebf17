"""The audit trail as a file: what it says, and what it is narrowed by."""

import csv
import io
from typing import Any

import pytest

from tests.make import make_session
from upload.models import UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
LIST = "/admin/upload/sessionevent/"
EXPORT = f"{LIST}export/"


@pytest.fixture
def session() -> UploadSession:
    return make_session(SessionStatus.UPLOADING, {"=a.txt": b"a"})


def rows(client: Any, query: str = "") -> list[dict[str, str]]:
    answer = client.post(f"{EXPORT}{query}", {"format": "0", "resource": "0"})
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_each_event_is_a_row_with_its_session_and_its_detail(
    client_for: Any, auditor: Any, session: UploadSession
) -> None:
    session.expire()

    found = rows(client_for(auditor))

    assert len(found) == session.event_set.count()
    newest = session.event_set.latest("pk")
    told = next(row for row in found if row["Event"] == newest.code)
    assert (told["Session"], told["PREMIS type"]) == (
        str(session.uuid),
        newest.premis_type,
    )
    assert told["When (UTC)"].endswith("+00:00")
    assert session.token not in str(found)


def test_what_the_list_is_narrowed_by_narrows_the_file(
    client_for: Any, auditor: Any, session: UploadSession
) -> None:
    other = make_session(SessionStatus.UPLOADING)

    found = rows(client_for(auditor), f"?q={session.uuid}")

    assert {row["Session"] for row in found} == {str(session.uuid)}
    assert other.event_set.exists()


def test_a_reason_is_never_a_formula(
    client_for: Any, clerk: Any, auditor: Any, session: UploadSession
) -> None:
    session.event_set.create(
        session_uuid=session.uuid,
        code="upload.session.noted",
        premis_type="information package merging",
        reason="=cmd()",
    )

    (noted,) = [r for r in rows(client_for(auditor)) if r["Reason"]]

    assert noted["Reason"] == "'=cmd()"


def test_a_filter_that_is_not_understood_exports_nothing(
    client_for: Any, auditor: Any, session: UploadSession
) -> None:
    answer = client_for(auditor).post(f"{EXPORT}?x__y=1", {"format": "0"})

    assert (answer.status_code, answer["Location"]) == (302, LIST)
