"""Pages for people who send files, as HTML and in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.make import make_session, set_status
from upload.models import UploadSession
from upload.states import SessionStatus
from upload.views import upload_words

S = SessionStatus
pytestmark = pytest.mark.django_db
NEW = "/upload-session/new/"


def page_of(session: UploadSession) -> str:
    return reverse("upload:upload_page", kwargs={"uuid": session.uuid})


def payload(name: str, content: bytes = b"alpha") -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def line(page: Page, name: str) -> Any:
    return page.locator("#upload-list > li", has_text=name)


@pytest.mark.parametrize(
    ("person", "status"),
    [
        ("uploader", 200),
        ("other_uploader", 404),
        ("clerk", 200),
        ("manager", 403),
        ("auditor", 403),
        ("superuser", 200),
        ("nobody", 404),
    ],
)
def test_each_role_sees_the_upload_page_or_not(
    request: pytest.FixtureRequest, person: str, status: int
) -> None:
    session = make_session(user=request.getfixturevalue("uploader"))
    client = Client()
    client.force_login(request.getfixturevalue(person))

    response = client.get(page_of(session))

    assert response.status_code == status
    assert session.token not in response.content.decode()


def test_nobody_sees_the_page_without_signing_in() -> None:
    url = page_of(make_session())

    assert Client().get(url)["Location"] == f"/login/?next={url}"


def test_staff_get_the_frame_of_the_admin(client_for: Any, clerk: Any) -> None:
    response = client_for(clerk).get(page_of(make_session()))

    used = {template.name for template in response.templates}
    assert "admin/base_site.html" in used
    assert "upload/frame.html" not in used


def test_every_module_of_the_page_is_fetched_at_once() -> None:
    folder = Path(upload_words.__file__).parents[1] / "static" / "upload"

    assert {path.stem for path in folder.glob("*.js")} == {
        *upload_words.MODULES,
        "upload",
    }


def test_no_page_is_kept_by_a_cache(client_for: Any, uploader: Any) -> None:
    session = make_session(user=uploader)

    for url in (page_of(session), reverse("upload:own_sessions")):
        answer = client_for(uploader).get(url)
        assert answer["Cache-Control"] == "private, no-store"


def test_a_closed_session_says_that_it_takes_no_files(
    client_for: Any, uploader: Any
) -> None:
    session = make_session(user=uploader)
    set_status(session, S.STORED)

    page = client_for(uploader).get(page_of(session)).content.decode()

    assert "This session takes no more files." in page
    assert 'id="upload-input"' not in page


def test_a_person_opens_a_session_by_the_button(client_for: Any, clerk: Any) -> None:
    response = client_for(clerk).post(NEW)

    session = UploadSession.objects.get()
    assert (session.user, response["Location"]) == (clerk, page_of(session))


def test_looking_opens_no_session(client_for: Any, clerk: Any) -> None:
    assert client_for(clerk).get(NEW).status_code == 405
    assert not UploadSession.objects.exists()


def test_the_button_needs_a_csrf_token(clerk: Any) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    client.force_login(clerk)

    response = client.post(NEW)

    assert response.status_code == 403
    assert "reload the page" in response.content.decode()
    assert not UploadSession.objects.exists()


def test_the_button_tells_of_the_limit(
    client_for: Any, uploader: Any, settings: Any
) -> None:
    settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN = 1
    make_session(user=uploader)

    response = client_for(uploader).post(NEW)

    assert response.status_code == 409
    assert "at most 1 are allowed" in response.content.decode()


def test_people_see_only_their_own_sessions(
    client_for: Any, uploader: Any, other_uploader: Any
) -> None:
    mine, theirs = make_session(user=uploader), make_session(user=other_uploader)

    page = client_for(uploader).get(reverse("upload:own_sessions")).content.decode()

    assert str(mine.uuid) in page
    assert str(theirs.uuid) not in page


def test_people_who_only_send_files_start_at_their_sessions(
    client_for: Any, uploader: Any, clerk: Any
) -> None:
    assert client_for(uploader).get("/")["Location"] == "/upload/"
    assert client_for(clerk).get("/")["Location"] == "/admin/"


@pytest.mark.parametrize("evil", ["//evil.example", "https:evil", "\\\\evil.example"])
def test_signing_in_leads_to_no_other_host(uploader: Any, evil: str) -> None:
    person = {"username": "uploader", "password": "pw", "next": evil}

    response = Client().post("/login/", person)

    assert response["Location"] == "/"


@pytest.mark.parametrize("path", ["/nothing-here/", "/files/not-a-uuid/"])
def test_a_wrong_address_gets_our_own_page(path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_files_are_sent_by_the_page(page_for: Any, clerk: Any) -> None:
    session = make_session()
    page = page_for(clerk)
    page.goto(page_of(session))

    page.set_input_files("#upload-input", [payload("a.txt"), payload("日本.txt")])

    expect(line(page, "日本.txt")).to_contain_text("Received")
    expect(page.locator("#upload-live")).to_have_text(
        "Files received: 2. Not received: 0."
    )
    assert session.tempuploadedfile_set.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_reload_shows_what_is_there(page_for: Any, uploader: Any) -> None:
    session = make_session(S.UPLOADING, {"<b>a.txt": b"alpha"}, user=uploader)
    page = page_for(uploader)

    page.goto(page_of(session))

    expect(line(page, "<b>a.txt")).to_contain_text("5 BReceived")


@pytest.mark.django_db(transaction=True)
def test_a_full_session_shows_what_is_there(
    page_for: Any, uploader: Any, settings: Any
) -> None:
    settings.MAX_TOTAL_UPLOAD_COUNT = 1
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"}, user=uploader)
    page = page_for(uploader)

    page.goto(page_of(session))
    page.set_input_files("#upload-input", [payload("b.txt")])

    expect(line(page, "a.txt")).to_contain_text("Received")
    expect(line(page, "b.txt")).to_contain_text("Open another session")


@pytest.mark.django_db(transaction=True)
def test_a_taken_name_can_be_kept_beside(page_for: Any, uploader: Any) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"}, user=uploader)
    page = page_for(uploader)
    page.goto(page_of(session))

    page.set_input_files("#upload-input", [payload("a.txt", b"gamma")])
    expect(line(page, "Not received")).to_contain_text(
        "already has a file of this name"
    )
    page.get_by_role("button", name="Keep both: a.txt").press("Enter")

    expect(line(page, "a (2).txt")).to_contain_text("Received")


@pytest.mark.django_db(transaction=True)
def test_a_refusal_says_why_and_can_be_taken_away(page_for: Any, uploader: Any) -> None:
    page = page_for(uploader)
    page.goto(page_of(make_session(user=uploader)))

    page.set_input_files("#upload-input", [payload("a.exe"), payload("a.pdf")])

    expect(line(page, "a.exe")).to_contain_text("This kind of file is not accepted.")
    expect(line(page, "a.pdf")).to_contain_text("its bytes are text/plain")
    page.get_by_role("button", name="Remove: a.exe").click()
    expect(line(page, "a.exe")).to_have_count(0)


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_told_and_tried_again(
    page_for: Any, uploader: Any
) -> None:
    page = page_for(uploader)
    page.goto(page_of(make_session(user=uploader)))
    tus = re.compile(r"/tus/$")
    page.route(tus, lambda route: route.abort())

    page.set_input_files("#upload-input", [payload("a.txt")])
    expect(line(page, "a.txt")).to_contain_text("Waiting for the connection")
    expect(page.locator("#upload-live")).to_contain_text("The connection is lost.")
    page.unroute(tus)
    page.get_by_role("button", name="Try now").click()

    expect(line(page, "a.txt")).to_contain_text("Received")


@pytest.mark.django_db(transaction=True)
def test_a_file_is_removed_by_the_keyboard(page_for: Any, uploader: Any) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"}, user=uploader)
    page = page_for(uploader)
    page.goto(page_of(session))

    page.get_by_role("button", name="Remove: a.txt").press("Enter")

    expect(page.locator("#upload-list > li")).to_have_count(0)
    expect(page.locator("#upload-empty")).to_be_visible()
    expect(page.locator("#upload-input")).to_be_focused()


@pytest.mark.django_db(transaction=True)
def test_files_are_dropped_on_the_page(page_for: Any, uploader: Any) -> None:
    page = page_for(uploader)
    page.goto(page_of(make_session(user=uploader)))

    page.evaluate("""() => {
        const carried = new DataTransfer();
        carried.items.add(new File(["alpha"], "dropped.txt"));
        document.querySelector("#upload-form").dispatchEvent(
            new DragEvent("drop", {dataTransfer: carried, bubbles: true}));
    }""")

    expect(line(page, "dropped.txt")).to_contain_text("Received")
