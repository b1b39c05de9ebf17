"""A sender's own pages: list, describe, submit; and who may not."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.test import Client
from django.urls import reverse

from tests.make import make_session, set_status
from tests.upload.http import (
    BOUNDARY,
    body_of,
    file_part,
    nothing_is_kept,
    post,
    random_uuid,
    told,
)
from upload import intake
from upload.errors import SessionSubmitted
from upload.intake import Sender
from upload.models import InProgressSubmission, Submission, UploadSession
from upload.states import SessionStatus
from upload.submitting import Description, describe, submit_session

S = SessionStatus
pytestmark = pytest.mark.django_db
DEEDS = ("describe", "reuse_description", "submit")
SAID = {"title": "Minutes 1998", "source": "Board", "extent": "2 files"}


def address(session: UploadSession, name: str = "own_session") -> str:
    return reverse(f"upload:{name}", args=[session.uuid])


@pytest.fixture
def session(uploader: Any) -> UploadSession:
    return make_session(S.UPLOADING, {"a.txt": b"alpha"}, user=uploader)


@pytest.fixture
def client(client_for: Any, uploader: Any) -> Client:
    mine: Client = client_for(uploader)
    return mine


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_the_list_shows_only_own_sessions(
    client: Client, session: UploadSession, other_uploader: Any
) -> None:
    theirs = make_session(user=other_uploader)

    page = text_of(client.get("/upload/"))

    assert str(session.uuid) in page
    assert str(theirs.uuid) not in page
    assert session.token not in page


def test_an_empty_list_says_what_to_do(client: Client) -> None:
    assert "Open one to send files." in text_of(client.get("/upload/"))


def test_who_may_open_no_session_is_told_whom_to_ask(
    client_for: Any, nobody: Any
) -> None:
    page = text_of(client_for(nobody).get("/upload/"))

    assert "Ask an administrator" in page
    assert "New session" not in page


def test_a_long_list_comes_in_pages(client: Client, uploader: Any) -> None:
    for _number in range(26):
        UploadSession.new_session(user=uploader)

    pages = [client.get(f"/upload/?page={number}") for number in (1, 2, "x", 99)]

    assert [len(page.context["lines"]) for page in pages] == [25, 1, 25, 1]


def test_the_list_asks_the_database_as_often_for_many(
    client: Client, uploader: Any, django_assert_max_num_queries: Any
) -> None:
    for _number in range(10):
        UploadSession.new_session(user=uploader)

    with django_assert_max_num_queries(12):
        client.get("/upload/")


@pytest.mark.parametrize("person", ["other_uploader", "clerk", "manager", "superuser"])
def test_another_persons_session_is_answered_like_a_missing_one(
    session: UploadSession, client_for: Any, request: Any, person: str
) -> None:
    client = client_for(request.getfixturevalue(person))
    missing = reverse("upload:own_session", args=[random_uuid()])

    theirs, none = client.get(address(session)), client.get(missing)
    deeds = [client.post(address(session, deed), SAID) for deed in DEEDS]

    assert theirs.status_code == none.status_code == 404
    assert [deed.status_code for deed in deeds] == [404] * 3
    assert not InProgressSubmission.objects.exists()


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_is_done_by_looking_or_without_signing_in(
    client: Client, session: UploadSession, deed: str
) -> None:
    url = address(session, deed)

    assert client.get(url).status_code == 405
    assert Client().post(url, SAID)["Location"] == f"/login/?next={address(session)}"
    assert not InProgressSubmission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_submitting_without_a_description_says_so(
    client_for: Any, uploader: Any
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, uploader)
    client, sure = client_for(uploader), {"complete": "on"}

    shown = client.post(address(session, "submit"), sure, follow=True)

    assert "write a description" in shown.content.decode()


def test_who_was_signed_out_comes_back_to_a_page_and_is_told(
    session: UploadSession, uploader: Any
) -> None:
    client = Client()
    sent = client.post(address(session, "submit"), SAID)
    client.force_login(uploader)

    shown = client.get(sent["Location"].partition("next=")[2])

    assert shown.status_code == 200
    assert "nothing was done" in shown.content.decode()


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_needs_a_csrf_token(
    session: UploadSession, uploader: Any, deed: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(uploader)

    assert client.post(address(session, deed), SAID).status_code == 403


def test_an_owner_who_lost_the_right_only_looks(
    session: UploadSession, uploader: Any, client: Client
) -> None:
    permission = uploader.groups.get().permissions.get(
        codename="view_own_uploadsession"
    )
    uploader.groups.clear()
    uploader.user_permissions.add(permission)

    page = client.get(address(session))
    response = client.post(address(session, "describe"), SAID)

    assert (page.status_code, response.status_code) == (200, 403)
    assert "own-description" not in {*text_of(page).split('id="')[1:]}
    assert not InProgressSubmission.objects.exists()


def test_a_description_is_saved_and_changed(
    client: Client, session: UploadSession, uploader: Any
) -> None:
    client.post(address(session, "describe"), SAID)
    client.post(address(session, "describe"), SAID | {"title": "Minutes"})

    draft = InProgressSubmission.objects.get()
    assert (draft.title, draft.source, draft.user) == ("Minutes", "Board", uploader)
    assert draft.upload_session == session
    assert session.event_set.filter(code="upload.session.described").count() == 2


@pytest.mark.parametrize("title", ["", "   ", "a" * 256, "a\0b"])
def test_a_description_that_does_not_fit_is_refused_with_its_words_kept(
    client: Client, session: UploadSession, title: str
) -> None:
    response = client.post(address(session, "describe"), SAID | {"title": title})

    assert response.status_code == 400
    assert "errorlist" in text_of(response)
    assert 'value="Board"' in text_of(response)
    assert not InProgressSubmission.objects.exists()


def test_a_session_is_submitted(
    client: Client, session: UploadSession, uploader: Any
) -> None:
    client.post(address(session, "describe"), SAID)

    response = client.post(address(session, "submit"), {"complete": "on"}, follow=True)

    submission = Submission.objects.get()
    assert (submission.title, submission.user) == ("Minutes 1998", uploader)
    assert submission.upload_session == session
    assert submission.accession_number is None
    assert not InProgressSubmission.objects.exists()
    assert "You submitted this on" in text_of(response)
    event = session.event_set.get(code="upload.session.submitted")
    assert (event.premis_type, event.actor) == ("accession", uploader)


def test_a_session_is_submitted_once(client: Client, session: UploadSession) -> None:
    client.post(address(session, "describe"), SAID)

    for _time in range(2):
        last = client.post(address(session, "submit"), {"complete": "on"}, follow=True)

    assert Submission.objects.count() == 1
    assert "was submitted before" in text_of(last)


def test_submitting_has_to_be_confirmed(client: Client, session: UploadSession) -> None:
    client.post(address(session, "describe"), SAID)

    response = client.post(address(session, "submit"))

    assert response.status_code == 400
    assert not Submission.objects.exists()


def test_files_without_a_description_are_not_submitted(
    client: Client, session: UploadSession
) -> None:
    page = client.post(address(session, "submit"), {"complete": "on"}, follow=True)

    assert "write a description" in text_of(page)
    assert not Submission.objects.exists()


def test_a_session_without_files_is_not_submitted(
    client: Client, uploader: Any
) -> None:
    empty = make_session(user=uploader)
    client.post(address(empty, "describe"), SAID)

    page = client.post(address(empty, "submit"), {"complete": "on"}, follow=True)

    assert "holds no files" in text_of(page)
    assert not Submission.objects.exists()


@pytest.fixture
def submitted(session: UploadSession, uploader: Any) -> UploadSession:
    describe(session, uploader, Description(**SAID))
    submit_session(session, uploader)
    return session


def test_what_was_submitted_takes_nothing_more_from_its_sender(
    submitted: UploadSession, client: Client
) -> None:
    token = {"HTTP_AUTHORIZATION": f"Bearer {submitted.token}"}

    by_page = post(client, submitted, file_part("b.txt"))
    by_token = post(Client(), submitted, file_part("b.txt"), **token)

    assert told(by_page) == told(by_token) == (409, "session_submitted")
    assert submitted.tempuploadedfile_set.get().name == "a.txt"


def test_what_was_submitted_is_not_removed_by_its_sender(
    submitted: UploadSession, client: Client
) -> None:
    row = submitted.tempuploadedfile_set.get()
    url = reverse("upload:session_file", args=[submitted.uuid, row.uuid])

    assert told(client.delete(url)) == (409, "session_submitted")
    assert submitted.tempuploadedfile_set.exists()


def test_staff_go_on_with_what_was_submitted(
    submitted: UploadSession, client_for: Any, clerk: Any
) -> None:
    kept = post(client_for(clerk), submitted, file_part("b.txt"))
    submitted.make_uploads_permanent()

    assert kept.status_code == 201
    assert submitted.status == S.STORED


def test_a_submitted_session_is_not_described_again(
    submitted: UploadSession, client: Client
) -> None:
    page = client.post(address(submitted, "describe"), SAID, follow=True)

    assert "was submitted before" in text_of(page)
    assert not InProgressSubmission.objects.exists()


class Slow:
    """A body during which something else happens."""

    def __init__(self, body: bytes, meanwhile: Callable[[], Any]) -> None:
        self._body, self._meanwhile = body, meanwhile

    def read(self, size: int) -> bytes:
        body, self._body = self._body, b""
        if body:
            self._meanwhile()
        return body


def test_a_file_that_was_on_its_way_does_not_pass_the_submission(
    session: UploadSession, uploader: Any
) -> None:
    """B30: the request was let in, then the submission committed."""
    describe(session, uploader, Description(**SAID))
    body = Slow(body_of(file_part("b.txt")), lambda: submit_session(session, uploader))

    (outcome,) = intake.take(session, body, BOUNDARY.encode(), Sender(uploader))

    assert isinstance(outcome.error, SessionSubmitted)
    session.refresh_from_db()
    assert session.total_files == session.tempuploadedfile_set.count() == 1


def test_the_description_of_an_expired_session_is_used_again(
    client: Client, uploader: Any, session: UploadSession
) -> None:
    describe(session, uploader, Description(**SAID))
    session.expire()
    fresh = make_session(S.UPLOADING, user=uploader)
    draft = InProgressSubmission.objects.get()

    assert "Minutes 1998" in text_of(client.get(address(fresh)))
    client.post(address(fresh, "reuse_description"), {"draft": draft.uuid})

    draft.refresh_from_db()
    assert draft.upload_session == fresh
    with pytest.raises(ObjectDoesNotExist):
        _none = UploadSession.objects.get(pk=session.pk).in_progress_submission


@pytest.mark.parametrize("whose", ["other_uploader", "uploader"])
def test_only_free_descriptions_of_ones_own_are_used_again(
    client: Client, request: Any, session: UploadSession, whose: str
) -> None:
    """Another person's, and one's own that stands at a session which is open."""
    owner = request.getfixturevalue(whose)
    used = make_session(user=owner) if whose == "uploader" else None
    draft = InProgressSubmission.objects.create(
        title="X", user=owner, upload_session=used
    )

    response = client.post(address(session, "reuse_description"), {"draft": draft.uuid})

    draft.refresh_from_db()
    assert (response.status_code, draft.upload_session) == (400, used)


def test_an_expired_session_says_so_and_is_not_described(
    client: Client, session: UploadSession
) -> None:
    session.expire()

    page = client.get(address(session))
    refused = client.post(address(session, "describe"), SAID, follow=True)

    assert "This session has expired" in text_of(page)
    assert "cannot be described" in text_of(refused)
    assert not InProgressSubmission.objects.exists()


def test_a_title_from_outside_is_escaped(
    client: Client, session: UploadSession, uploader: Any
) -> None:
    describe(session, uploader, Description("<img src=x onerror=a>{{7*7}}"))

    for page in (client.get("/upload/"), client.get(address(session))):
        assert "<img src=x" not in text_of(page)
        assert "{{7*7}}" in text_of(page)


def test_the_number_that_staff_gave_is_shown(
    submitted: UploadSession, client: Client
) -> None:
    set_status(submitted, S.STORED)
    Submission.objects.update(accession_number="2026-017")

    assert "Accession number: 2026-017." in text_of(client.get(address(submitted)))


def test_a_refused_submission_keeps_nothing(uploader: Any, client: Client) -> None:
    empty = make_session(user=uploader)

    client.post(address(empty, "submit"), {"complete": "on"})

    assert nothing_is_kept(empty)
