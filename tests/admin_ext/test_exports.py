"""Exports: the filtered rows, the listed fields, no formula, only with the right."""

import csv
import io
import logging
import zipfile
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from admin_ext.cells import csv_cell
from tests.make import make_session, make_user
from tests.people import make_person
from upload.models import InProgressSubmission, Submission, UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
S = SessionStatus
EXPORT = "/admin/upload/uploadsession/export/"
CSV, XLSX = "0", "1"
HEADERS = [
    "UUID",
    "Status",
    "Owner",
    "Started (UTC)",
    "Last interaction (UTC)",
    "Expires (UTC)",
    "Files",
    "Size (bytes)",
    "Submission title",
    "Accession number",
]
DANGEROUS = [
    "=1+1",
    "==1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    '"=1',
    " =1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM",
    "=1,2;3\n4",
    "'=1",
]


def export(client: Any, file_format: str, query: str = "") -> bytes:
    data = {"format": file_format, "resource": "0"}
    response = client.post(f"{EXPORT}?{query}", data)
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"]
    content: bytes = response.content
    return content


def csv_rows(client: Any, query: str = "") -> list[list[str]]:
    text = export(client, CSV, query).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def xlsx_rows(content: bytes) -> list[Any]:
    return list(load_workbook(io.BytesIO(content)).active.iter_rows())


def test_csv_holds_the_listed_fields_and_never_the_token(
    manager: Any, client_for: Any
) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"12345"}, make_user("ada"))
    Submission.objects.create(
        title="地図", accession_number="2026-7", upload_session=session
    )

    headers, row = csv_rows(client_for(manager))

    assert headers == HEADERS
    assert row[:3] == [str(session.uuid), "Uploading", "ada"]
    assert row[6:] == ["1", "5", "地図", "2026-7"]
    assert session.token not in " ".join(row)


def test_times_are_iso_in_utc(manager: Any, client_for: Any) -> None:
    session = make_session()

    row = csv_rows(client_for(manager))[1]

    assert row[3] == session.started_at.isoformat(timespec="seconds")
    assert row[3].endswith("+00:00")


def test_a_draft_gives_its_title_where_nothing_was_submitted(
    manager: Any, client_for: Any
) -> None:
    InProgressSubmission.objects.create(title="Maps", upload_session=make_session())

    assert csv_rows(client_for(manager))[1][8:] == ["Maps", ""]


@pytest.mark.parametrize(
    "query", ["status=UG", "status=UG&status=CR&size_min=1", "q=a.txt", "owner=ada"]
)
def test_the_export_holds_what_the_list_shows(
    manager: Any, client_for: Any, query: str
) -> None:
    make_session(S.UPLOADING), make_session(user=make_user("ada"))
    client = client_for(manager)
    listed = client.get(f"/admin/upload/uploadsession/?{query}").context["cl"]

    rows = csv_rows(client, query)[1:]

    assert [row[0] for row in rows] == [str(s.uuid) for s in listed.result_list]


@pytest.mark.parametrize("text", DANGEROUS)
def test_csv_marks_what_a_spreadsheet_could_run_and_keeps_it_whole(
    manager: Any, client_for: Any, text: str
) -> None:
    Submission.objects.create(title=text, upload_session=make_session())

    cell = csv_rows(client_for(manager))[1][8]

    if text != '"=1':  # no first cell of its own: the quotes of RFC 4180 enclose it
        assert cell[0] == "'"
    assert cell.removeprefix("'") == text


@pytest.mark.parametrize("text", [*DANGEROUS, "a\x0bb"])
def test_xlsx_stores_every_text_as_a_text(
    manager: Any, client_for: Any, text: str
) -> None:
    Submission.objects.create(title=text, upload_session=make_session())

    content = export(client_for(manager), XLSX)
    cell = xlsx_rows(content)[1][8]

    assert cell.data_type == "s"
    assert unescape(cell.value) == text
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet


def test_xlsx_keeps_numbers_as_numbers(manager: Any, client_for: Any) -> None:
    make_session(S.UPLOADING, {"a.txt": b"12345"})

    headers, row = xlsx_rows(export(client_for(manager), XLSX))

    assert [cell.value for cell in headers] == HEADERS
    assert [cell.value for cell in row[6:8]] == [1, 5]


@pytest.mark.parametrize("text", ["plain", "2026-7", "a=b", "", "名前"])
def test_harmless_texts_are_left_as_they_are(text: str) -> None:
    assert csv_cell(text) == text


def test_negative_numbers_are_no_texts() -> None:
    assert csv_cell(-1) == -1


@pytest.mark.parametrize("role", ["clerk", "manager", "auditor", "superuser"])
def test_these_roles_export(request: Any, client_for: Any, role: str) -> None:
    client = client_for(request.getfixturevalue(role))

    assert client.get(EXPORT).status_code == 200
    assert csv_rows(client) == [HEADERS]


def test_no_others_export(nobody: Any, uploader: Any, client_for: Any) -> None:
    data = {"format": CSV, "resource": "0"}

    assert client_for(nobody).get(EXPORT).status_code == 403
    assert client_for(nobody).post(EXPORT, data).status_code == 403
    assert client_for(uploader).post(EXPORT, data).status_code == 302


def test_the_right_to_export_alone_shows_nothing(client_for: Any) -> None:
    person = make_person("exporter")
    right = Permission.objects.get(codename="export_uploadsession")
    person.user_permissions.add(right)

    assert client_for(person).post(EXPORT, {"format": CSV}).status_code == 403


def test_the_form_says_how_many_sessions_the_filter_leaves(
    manager: Any, client_for: Any
) -> None:
    make_session(), make_session(), make_session(S.UPLOADING)

    page = client_for(manager).get(f"{EXPORT}?status=CR").content.decode()

    assert "2 sessions will be exported" in page


def test_get_gives_a_form_with_two_formats_and_no_file(
    manager: Any, client_for: Any
) -> None:
    response = client_for(manager).get(EXPORT)

    choices = dict(response.context["form"].fields["format"].choices)
    assert list(choices.values())[1:] == ["csv", "xlsx"]
    assert "Content-Disposition" not in response


@pytest.mark.parametrize("file_format", ["2", "-1", "junk", ""])
def test_no_other_format_is_given(
    manager: Any, client_for: Any, file_format: str
) -> None:
    response = client_for(manager).post(EXPORT, {"format": file_format})

    assert "Content-Disposition" not in response


@pytest.mark.parametrize(
    ("query", "status"),
    [("size_min=lots", 302), ("token__startswith=a", 400), ("q=a%00", 302)],
)
def test_bad_filters_export_nothing(
    manager: Any, client_for: Any, query: str, status: int
) -> None:
    make_session()
    response = client_for(manager).post(
        f"{EXPORT}?{query}", {"format": CSV, "resource": "0"}
    )

    assert response.status_code == status
    assert "Content-Disposition" not in response


def test_an_export_leaves_a_log_line(
    manager: Any, client_for: Any, caplog: Any
) -> None:
    make_session()

    with caplog.at_level(logging.INFO, "admin_ext.exports"):
        csv_rows(client_for(manager), "status=CR")

    assert f"exported by {manager.pk}: 1 sessions, filter 'status=CR'" in caplog.text


def test_queries_do_not_grow_with_the_rows(
    manager: Any, client_for: Any, django_assert_max_num_queries: Any
) -> None:
    owner = make_user("ada")
    UploadSession.objects.bulk_create(UploadSession(user=owner) for _n in range(1200))

    client = client_for(manager)

    with django_assert_max_num_queries(6):
        assert len(csv_rows(client)) == 1201
