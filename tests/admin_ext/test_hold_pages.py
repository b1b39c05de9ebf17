"""Holds in the admin: the pages say why, managers place and lift, by POST alone."""

from typing import Any

import pytest

from tests.admin_ext.choosing import LIST, choose, confirm, texts
from tests.admin_ext.pages import admin_url
from tests.make import make_session
from upload import holding
from upload.models import LegalHold, Submission, UploadSession
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db


@pytest.fixture
def held() -> UploadSession:
    session = make_session(S.STORED)
    holding.place(session, None, "Case <b>12</b>")
    return session


def lift_url(session: UploadSession) -> str:
    return admin_url(LegalHold, "lift", session.hold_set.get().pk)


@pytest.mark.parametrize("role", ["clerk", "manager", "auditor", "superuser"])
def test_the_session_page_says_why_to_everybody(
    request: Any, client_for: Any, held: UploadSession, role: str
) -> None:
    client = client_for(request.getfixturevalue(role))

    page = client.get(admin_url(UploadSession, "change", held.pk)).content.decode()

    assert "Case &lt;b&gt;12&lt;/b&gt;" in page and "On hold" in page
    assert ("Lift this hold" in page) is (role in {"manager", "superuser"})
    assert "/do/remove/" not in page


def test_a_preview_says_why_a_held_session_is_skipped(
    clerk: Any, client_for: Any, held: UploadSession
) -> None:
    seen = choose(client_for(clerk), "remove_sessions", held).context["seen"]

    assert "under legal hold" in seen.skipped[0].reason
    assert "Case <b>12</b>" in seen.skipped[0].reason


def test_a_manager_places_a_hold_on_many_sessions(
    manager: Any, client_for: Any
) -> None:
    sessions = [make_session(S.STORED), make_session(S.UPLOADING)]

    said = texts(confirm(client_for(manager), "hold_sessions", *sessions))

    assert "2 sessions put on hold." in said
    assert {h.placed_by_name for h in LegalHold.objects.all()} == {"manager"}


def test_a_manager_lifts_one_hold_with_a_reason(
    manager: Any, client_for: Any, held: UploadSession
) -> None:
    url = lift_url(held)

    client_for(manager).post(url, {"reason": ""})
    assert LegalHold.objects.active().exists()

    client_for(manager).post(url, {"reason": "Closed"})
    held.refresh_from_db()
    assert (held.hold_count, LegalHold.objects.get().lift_reason) == (0, "Closed")


@pytest.mark.parametrize("role", ["clerk", "auditor", "nobody"])
def test_who_may_not_lift_gets_403(
    request: Any, client_for: Any, held: UploadSession, role: str
) -> None:
    client = client_for(request.getfixturevalue(role))

    answer = client.post(lift_url(held), {"reason": "Closed"})

    assert (answer.status_code, LegalHold.objects.active().count()) == (403, 1)


def test_a_hold_is_lifted_by_post_alone(
    superuser: Any, client_for: Any, held: UploadSession
) -> None:
    assert client_for(superuser).get(lift_url(held)).status_code == 405
    assert LegalHold.objects.active().exists()


@pytest.mark.parametrize(
    ("role", "count"), [("clerk", 0), ("auditor", 0), ("manager", 1), ("superuser", 1)]
)
def test_a_submission_is_held_by_who_may(
    request: Any, client_for: Any, role: str, count: int
) -> None:
    session = make_session(S.STORED)
    submission = Submission.objects.create(title="Fonds", upload_session=session)
    client = client_for(request.getfixturevalue(role))

    client.post(admin_url(LegalHold, "submission", submission.pk), {"reason": "C"})

    session.refresh_from_db()
    assert session.hold_count == count


def test_the_page_of_a_held_submission_says_why_and_keeps_its_session(
    clerk: Any, client_for: Any
) -> None:
    session = make_session(S.STORED)
    submission = Submission.objects.create(title="Fonds", upload_session=session)
    holding.place_on_submission(submission, None, "Case 12")
    url = admin_url(Submission, "change", submission.pk)

    page = client_for(clerk).get(url).content.decode()
    client_for(clerk).post(url, {"title": "Fonds B", "upload_session": ""})

    submission.refresh_from_db()
    assert "Case 12" in page
    assert (submission.title, submission.upload_session) == ("Fonds B", session)


def test_a_held_submission_is_not_deleted_by_the_admin(
    superuser: Any, client_for: Any
) -> None:
    submission = Submission.objects.create(title="Fonds")
    holding.place_on_submission(submission, None, "Case 12")

    client_for(superuser).post(
        admin_url(Submission, "delete", submission.pk), {"post": "yes"}
    )

    assert Submission.objects.filter(pk=submission.pk).exists()


def test_the_list_and_the_json_are_narrowed_to_held_sessions(
    clerk: Any, client_for: Any, held: UploadSession
) -> None:
    make_session(S.STORED)
    client = client_for(clerk)

    shown = client.get(LIST, {"hold": "on"}).context["cl"].result_list
    told = client.get("/upload-session/", {"hold": "on"}).json()

    assert list(shown) == [held]
    assert [(row["uuid"], row["on_hold"]) for row in told["results"]] == [
        (str(held.uuid), True)
    ]


def test_the_file_endpoint_says_why_a_file_of_a_held_session_stays(
    uploader: Any, client_for: Any
) -> None:
    session = make_session(S.UPLOADING, user=uploader)
    file = session.tempuploadedfile_set.earliest("pk")
    holding.place(session, None, "Case 12")

    url = f"/upload-session/{session.uuid}/files/{file.uuid}/"
    answer = client_for(uploader).delete(url)

    assert (answer.status_code, answer.json()["code"]) == (409, "on_hold")


@pytest.mark.parametrize("page", ["changelist", "change"])
def test_the_pages_of_holds_open(
    auditor: Any, client_for: Any, held: UploadSession, page: str
) -> None:
    hold = held.hold_set.get()
    keys = [hold.pk] if page == "change" else []

    shown = client_for(auditor).get(admin_url(LegalHold, page, *keys))

    assert "Case &lt;b&gt;12" in shown.content.decode()


def test_a_redirect_after_lifting_stays_on_this_site(
    manager: Any, client_for: Any, held: UploadSession
) -> None:
    data = {"reason": "Closed", "next": "https://evil.example/"}

    answer = client_for(manager).post(lift_url(held), data)

    assert answer.url.startswith("/admin/")
