"""Who opened which file: on the session page, filtered, exported, and who may not."""

from typing import Any

import pytest
from django.urls import reverse

from tests.make import make_session
from upload.models import AccessLog, UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
LIST = "/admin/upload/accesslog/"
EXPORT = f"{LIST}export/"


@pytest.fixture
def session(clerk: Any, manager: Any, client_for: Any) -> UploadSession:
    """A stored session of which the clerk and the manager opened a file each."""
    session = make_session(SessionStatus.STORED, {"=a.txt": b"a", "b.txt": b"b"})
    for person, name in ((clerk, "=a.txt"), (manager, "b.txt")):
        file = session.permuploadedfile_set.get(name=name)
        response = client_for(person).get(file.get_file_access_url())
        assert b"".join(response)
    return session


def export(client: Any, query: str = "") -> Any:
    return client.post(f"{EXPORT}{query}", {"format": "0", "resource": "0"})


def test_accesses_show_on_the_page_of_their_session(
    client_for: Any, clerk: Any, session: UploadSession
) -> None:
    url = reverse("admin:upload_uploadsession_change", args=[session.pk])

    page = client_for(clerk).get(url)

    shown = [(a.user_name, a.name) for a in page.context["accesses"]]
    assert shown == [("manager", "b.txt"), ("clerk", "=a.txt")]
    assert f"{LIST}?q={session.uuid}" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?who=manager", 1),
        ("?action=view", 0),
        ("?action=download", 2),
        ("?opened_after=2000-01-01", 2),
        ("?opened_before=2000-01-01", 0),
    ],
)
def test_list_and_export_are_narrowed_alike(
    client_for: Any, auditor: Any, session: UploadSession, query: str, count: int
) -> None:
    client = client_for(auditor)

    listed = client.get(f"{LIST}{query}").context["cl"].result_list
    lines = export(client, query).content.decode("utf-8-sig").splitlines()

    assert (len(listed), len(lines) - 1) == (count, count)


def test_the_export_has_no_formula_and_names_who_and_what(
    client_for: Any, auditor: Any, session: UploadSession
) -> None:
    text = export(client_for(auditor)).content.decode("utf-8-sig")

    assert "clerk,download,'=a.txt," in text
    assert str(session.uuid) in text
    assert session.token not in text


@pytest.mark.parametrize("query", ["?action=x", "?opened_after=never", "?x__y=1"])
def test_a_filter_that_is_not_understood_exports_nothing(
    client_for: Any, auditor: Any, session: UploadSession, query: str
) -> None:
    response = export(client_for(auditor), query)

    assert (response.status_code, response["Location"]) == (302, LIST)


@pytest.mark.parametrize("person", ["nobody", "uploader"])
def test_who_may_not_see_the_log_exports_nothing(
    request: Any, client_for: Any, session: UploadSession, person: str
) -> None:
    client = client_for(request.getfixturevalue(person))

    assert client.get(LIST).status_code in {302, 403}
    assert export(client).status_code in {302, 403}
    assert AccessLog.objects.count() == 2
