"""Whose language a page is in, and how it is chosen."""

from typing import Any

import pytest
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation

from portal.language import language_of_person
from portal.models import User
from tests.browsing import PageFor
from tests.make import make_session
from tests.people import ClientFor
from upload.filter_fields import SizeField
from upload.quantities import size_text
from upload.states import SessionStatus

SESSIONS = "/admin/upload/uploadsession/"


@pytest.fixture(autouse=True)
def language_as_before() -> Any:
    with translation.override(translation.get_language()):
        yield


def speaking(person: User, language: str) -> User:
    person.language = language
    person.save(update_fields=["language"])
    return person


@pytest.mark.parametrize(
    ("accepted", "title"),
    [("fr-CA,fr;q=0.9", "Se connecter"), ("ja", "ログイン"), ("de", "Sign in")],
)
def test_the_sign_in_page_is_in_the_browsers_language(
    db: None, client: Client, accepted: str, title: str
) -> None:
    page = client.get("/login/", headers={"accept-language": accepted})

    assert f"<h1>{title}</h1>" in page.content.decode()


@pytest.mark.parametrize(
    ("language", "title"),
    [("fr", "Sessions de dépôt"), ("ja", "アップロードセッション")],
)
def test_what_a_person_chose_wins_over_the_browser(
    clerk: User, client_for: ClientFor, language: str, title: str
) -> None:
    client = client_for(speaking(clerk, language))

    page = client.get(SESSIONS, headers={"accept-language": "en"})

    assert title in page.content.decode()
    assert page.headers["Content-Language"] == language


def test_without_a_choice_the_browsers_language_is_used(
    clerk: User, client_for: ClientFor
) -> None:
    page = client_for(clerk).get(SESSIONS, headers={"accept-language": "ja"})

    assert page.headers["Content-Language"] == "ja"


def test_a_language_that_is_not_offered_is_passed_over(
    clerk: User, client_for: ClientFor
) -> None:
    page = client_for(speaking(clerk, "xx")).get(SESSIONS)

    assert page.headers["Content-Language"] == "en"


def test_the_next_person_does_not_get_the_language_of_the_last(
    clerk: User, auditor: User, client_for: ClientFor
) -> None:
    client_for(speaking(clerk, "ja")).get(SESSIONS)

    page = client_for(auditor).get(SESSIONS)

    assert page.headers["Content-Language"] == "en"


def test_choosing_a_language_keeps_it_on_the_person(
    uploader: User, client_for: ClientFor
) -> None:
    client = client_for(uploader)

    client.post("/language/", {"language": "fr", "next": "/sessions/"})

    uploader.refresh_from_db()
    assert uploader.language == "fr"


def test_choosing_a_language_works_before_signing_in(db: None, client: Client) -> None:
    client.post("/language/", {"language": "ja", "next": "/login/"})

    assert client.get("/login/").headers["Content-Language"] == "ja"


@pytest.mark.parametrize("language", ["xx", "", "fr-x-very-long-and-not-offered"])
def test_a_language_that_is_not_offered_cannot_be_chosen(
    uploader: User, client_for: ClientFor, language: str
) -> None:
    answer = client_for(uploader).post("/language/", {"language": language})

    uploader.refresh_from_db()
    assert (answer.status_code, uploader.language) == (302, "")


def test_a_language_is_not_chosen_by_get(uploader: User, client_for: ClientFor) -> None:
    answer = client_for(uploader).get("/language/?language=fr")

    uploader.refresh_from_db()
    assert (answer.status_code, uploader.language) == (405, "")


def test_choosing_a_language_leads_to_no_other_site(db: None, client: Client) -> None:
    answer = client.post("/language/", {"language": "fr", "next": "https://e.example/"})

    assert answer.headers["Location"] == "/"


def test_the_language_can_be_chosen_on_every_frame(
    clerk: User, uploader: User, client_for: ClientFor
) -> None:
    for person in (clerk, uploader):
        page = client_for(person).get("/", follow=True).content.decode()

        assert 'action="/language/"' in page
        assert "日本語" in page


def test_a_database_that_is_away_is_left_to_the_view(rf: RequestFactory) -> None:
    class Away:
        @property
        def language(self) -> str:
            raise DatabaseError

    request = rf.get("/")
    request.user = Away()
    middleware = language_of_person(lambda request: HttpResponse(status=503))

    assert middleware(request).status_code == 503


@pytest.mark.parametrize(
    ("language", "size"), [("fr", "1,50 Mo"), ("ja", "1.50 MB"), ("en", "1.50 MB")]
)
def test_a_size_can_be_searched_as_it_is_shown(language: str, size: str) -> None:
    with translation.override(language):
        shown = size_text(1_500_000).replace("\N{NO-BREAK SPACE}", " ")

        assert shown == size
        assert SizeField().clean(size_text(1_500_000)) == 1_500_000


@pytest.mark.parametrize(
    ("language", "day"), [("fr", "07/03/2024"), ("ja", "2024/03/07")]
)
def test_dates_are_written_as_the_language_writes_them(
    clerk: User, client_for: ClientFor, language: str, day: str
) -> None:
    session = make_session(user=clerk)
    session.started_at = session.started_at.replace(year=2024, month=3, day=7)
    session.save(update_fields=["started_at"])

    page = client_for(speaking(clerk, language)).get(f"{SESSIONS}{session.pk}/change/")

    assert day in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_person_chooses_a_language_on_the_page(
    uploader: User, page_for: PageFor
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"alpha"}, uploader)
    page = page_for(uploader, locale="ja")
    page.goto(f"/upload-session/{session.uuid}/upload/")

    page.get_by_role("button", name="Français").click()

    page.get_by_role("heading", name="Fichiers de cette session").wait_for()
    assert page.locator("#upload-list .up-size").inner_text() == "5\N{NO-BREAK SPACE}o"
