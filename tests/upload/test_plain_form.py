"""The upload page's form for browsers without JavaScript."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from tests.make import make_session, set_status
from upload.models import UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
TOKEN = "csrfmiddlewaretoken"


def page_of(session: UploadSession) -> str:
    return reverse("upload:upload_page", args=[session.uuid])


def files(*names: str) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(name, b"alpha") for name in names]


def strict_client(person: Any) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    return client


def token_for(client: Client, session: UploadSession) -> str:
    return str(client.get(page_of(session)).context["csrf_token"])


def test_files_are_kept_and_refused_one_by_one(uploader: Any) -> None:
    session, client = make_session(user=uploader), strict_client(uploader)
    token = token_for(client, session)

    response = client.post(
        page_of(session), {TOKEN: token, "file": files("a.txt", "a.exe")}, follow=True
    )

    page = response.content.decode()
    assert response.redirect_chain == [(page_of(session), 302)]
    assert "“a.txt” was received." in page
    assert "“a.exe” ends in “.exe”, which is not accepted." in page
    assert session.tempuploadedfile_set.get().name == "a.txt"


@pytest.mark.parametrize("token", [{}, {TOKEN: ""}, {TOKEN: "a" * 64}])
def test_a_form_without_its_token_keeps_nothing(
    uploader: Any, token: dict[str, str]
) -> None:
    session, client = make_session(user=uploader), strict_client(uploader)
    token_for(client, session)

    response = client.post(page_of(session), {**token, "file": files("a.txt")})

    assert response.status_code in {400, 403}
    assert not session.tempuploadedfile_set.exists()


@pytest.mark.parametrize(
    ("person", "status"),
    [("other_uploader", 404), ("manager", 403), ("auditor", 403), ("nobody", 404)],
)
def test_who_may_not_send_may_not_by_the_form(
    request: pytest.FixtureRequest, person: str, status: int
) -> None:
    session = make_session(user=request.getfixturevalue("uploader"))
    client = Client()
    client.force_login(request.getfixturevalue(person))

    response = client.post(page_of(session), {TOKEN: "x", "file": files("a.txt")})

    assert response.status_code == status
    assert not session.tempuploadedfile_set.exists()


def test_a_stranger_is_sent_to_sign_in() -> None:
    session = make_session()

    response = Client().post(page_of(session), {TOKEN: "x", "file": files("a.txt")})

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_a_closed_session_takes_nothing(client_for: Any, uploader: Any) -> None:
    session = make_session(user=uploader)
    set_status(session, SessionStatus.STORED)

    response = client_for(uploader).post(
        page_of(session), {TOKEN: "x", "file": files("a.txt")}
    )

    assert response.status_code == 409


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_another_body_is_refused(client_for: Any, uploader: Any, kind: str) -> None:
    session = make_session(user=uploader)

    response = client_for(uploader).post(page_of(session), b"a=b", content_type=kind)

    assert response.status_code == 400


def test_an_empty_form_is_refused(client_for: Any, uploader: Any) -> None:
    session = make_session(user=uploader)

    response = client_for(uploader).post(page_of(session), {})

    assert response.status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_browser_without_javascript_sends_files(page_for: Any, uploader: Any) -> None:
    page = page_for(uploader, java_script_enabled=False)
    page.goto(page_of(make_session(user=uploader)))

    page.locator("#upload-plain").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"alpha"}
    )
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_text("“a.txt” was received.")).to_be_visible()
    expect(page.locator("li.up-item", has_text="a.txt")).to_be_visible()
