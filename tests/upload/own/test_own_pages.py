"""A sender's own pages: list, look, describe; and who may not."""

from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.test import Client
from django.urls import reverse

from tests.make import make_session
from tests.upload.http import random_uuid
from tests.upload.own.pages import SAID, address, text_of
from upload.models import InProgressSubmission, UploadSession
from upload.states import SessionStatus
from upload.submitting import Description, describe

S = SessionStatus
pytestmark = pytest.mark.django_db
DEEDS = ("describe", "reuse_description", "submit")


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
