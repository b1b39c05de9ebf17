"""The session page: its state drawn; files sorted, searched, paged and previewed."""

from pathlib import Path
from typing import Any

import pytest

from tests.admin_ext.pages import admin_url
from tests.browsing import PageFor
from tests.make import make_destination, make_session, run, set_status
from upload import holding, jobs
from upload.models import Job, UploadSession
from upload.states import EDGES, JobKind, SessionStatus

S = SessionStatus
FILES = {"b.txt": b"beta beta", "a.txt": b"a", "c.pdf": b"%PDF-1"}


def part(client: Any, session: UploadSession, **query: Any) -> str:
    url = admin_url(UploadSession, "files", session.pk)
    return client.get(url, query).content.decode()


def in_order(text: str, *names: str) -> bool:
    places = [text.index(f"<bdi>{name}</bdi>") for name in names]
    return places == sorted(places)


@pytest.mark.django_db
@pytest.mark.parametrize("status", S)
def test_the_page_draws_where_a_session_is_and_can_go(
    clerk: Any, client_for: Any, status: SessionStatus
) -> None:
    session = set_status(make_session(), status) or UploadSession.objects.get()

    page = client_for(clerk).get(admin_url(UploadSession, "change", session.pk))

    states = page.context["states"]
    assert [box.label for box in states["boxes"] if box.present] == [status.label]
    assert {str(label) for label in states["ahead"]} == {
        str(e.target.label) for e in EDGES if e.origin == status
    }


@pytest.mark.django_db
@pytest.mark.parametrize("status", [S.CREATED, S.UPLOADING, S.STORED])
def test_a_hold_closes_the_ways_to_where_files_go(
    clerk: Any, client_for: Any, status: SessionStatus
) -> None:
    session = make_session(status)
    holding.place(session, None, "Case 12")

    page = client_for(clerk).get(admin_url(UploadSession, "change", session.pk))

    states = page.context["states"]
    gone = {str(S.EXPIRED.label), str(S.REMOVING_IN_PROGRESS.label)}
    assert not gone & {str(label) for label in states["ahead"]}
    assert sum(arrow.leaves for arrow in states["arrows"]) == len(states["ahead"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ("a.txt", "b.txt", "c.pdf")),
        ("-name", ("c.pdf", "b.txt", "a.txt")),
        ("-size", ("b.txt", "c.pdf", "a.txt")),
        ("session__user__password", ("b.txt", "a.txt", "c.pdf")),
    ],
)
def test_files_are_sorted_by_a_known_column(
    clerk: Any, client_for: Any, sort: str, names: tuple[str, ...]
) -> None:
    session = make_session(S.UPLOADING, files=FILES)

    assert in_order(part(client_for(clerk), session, sort=sort), *names)


@pytest.mark.django_db
@pytest.mark.parametrize(("find", "count"), [("A.T", 1), ("%", 0), ("x\x00", 3)])
def test_files_are_found_by_a_part_of_their_name(
    clerk: Any, client_for: Any, find: str, count: int
) -> None:
    session = make_session(S.UPLOADING, files=FILES)

    shown = part(client_for(clerk), session, find=find)

    assert shown.count('<th scope="row">') == count


@pytest.mark.django_db
def test_the_part_is_for_who_may_see_the_session(nobody: Any, client_for: Any) -> None:
    session = make_session(S.UPLOADING)
    url = admin_url(UploadSession, "files", session.pk)

    assert client_for(nobody).get(url).status_code in {403, 404}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "status"), [("clerk", 302), ("manager", 403), ("auditor", 403)]
)
def test_the_copies_at_a_destination_are_verified_by_who_may(
    request: Any, client_for: Any, tmp_path: Path, role: str, status: int
) -> None:
    session = make_session(S.STORED)
    place = make_destination(tmp_path / "destinations" / "x")
    url = admin_url(UploadSession, "verify_copy", session.pk, place.pk)
    client = client_for(request.getfixturevalue(role))

    assert client.get(url).status_code == 405
    assert client.post(url).status_code == status

    asked = Job.objects.filter(kind=JobKind.VERIFY, destination=place)
    assert asked.exists() is (status == 302)


@pytest.mark.django_db(transaction=True)
def test_the_page_offers_to_verify_copies_now(
    clerk: Any, client_for: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED)
    place = make_destination(tmp_path / "destinations" / "x")
    run(jobs.request(session, JobKind.COPY, clerk, destination=place))

    page = client_for(clerk).get(admin_url(UploadSession, "change", session.pk))

    url = admin_url(UploadSession, "verify_copy", session.pk, place.pk)
    assert url in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_page_tells_that_copies_are_being_verified_and_stops_nothing(
    clerk: Any, client_for: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED)
    Job.objects.all().delete()  # its first check
    place = make_destination(tmp_path / "destinations" / "x")
    run(jobs.request(session, JobKind.COPY, clerk, destination=place))
    jobs.request(session, JobKind.VERIFY, clerk, destination=place)

    page = client_for(clerk).get(admin_url(UploadSession, "change", session.pk))

    shown = page.content.decode()
    assert "being verified" in shown
    assert admin_url(UploadSession, "verify_copy", session.pk, place.pk) not in shown
    assert "other work need not wait for it" in shown
    assert "nothing else can be started" not in shown


@pytest.mark.django_db(transaction=True)
def test_files_are_sorted_and_searched_without_a_page_load(
    clerk: Any, page_for: PageFor
) -> None:
    session = make_session(S.UPLOADING, files=FILES)
    page = page_for(clerk)
    page.goto(admin_url(UploadSession, "change", session.pk))
    page.evaluate("window.same = true")

    page.get_by_role("link", name="Name").click()
    page.locator("th[aria-sort=ascending]").wait_for()
    page.get_by_label("Find a file by its name").fill("b.t")
    page.keyboard.press("Enter")
    page.locator("#session-files-part tbody tr").nth(1).wait_for(state="detached")

    assert page.locator("#session-files-part tbody th").inner_text() == "b.txt"
    assert page.evaluate("window.same") is True and "find=b.t" in page.url
    page.go_back()
    page.locator("#session-files-part tbody tr").nth(2).wait_for()


@pytest.mark.django_db(transaction=True)
def test_a_text_is_previewed_as_text_and_never_run(
    clerk: Any, page_for: PageFor
) -> None:
    script = b"<script>document.title = 'run'</script>\n"
    session = make_session(S.UPLOADING, files={"a.txt": script})
    page = page_for(clerk)
    page.goto(admin_url(UploadSession, "change", session.pk))

    page.get_by_role("button", name="Preview").click()

    page.locator("#file-preview pre").wait_for()
    assert "<script>" in page.locator("#file-preview pre").inner_text()
    assert page.title() != "run"
    page.keyboard.press("Escape")
    assert not page.locator("#file-preview").is_visible()
