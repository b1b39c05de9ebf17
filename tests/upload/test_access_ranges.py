"""A part of a file, and one that its reader has already."""

from typing import Any

import pytest

from tests.upload.opening import DIGITS, file_of, sent
from upload.ranges import Span, Unsatisfiable, asked_span
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db


def test_head_tells_the_length_without_the_bytes(client_for: Any, clerk: Any) -> None:
    url = file_of(None, S.UPLOADING).get_file_access_url()

    response = client_for(clerk).head(url)

    assert (response.status_code, response["Content-Length"]) == (200, "10")
    assert (response["Accept-Ranges"], response.content) == ("bytes", b"")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-3", Span(0, 3, 10)),
        ("bytes=8-", Span(8, 9, 10)),
        ("bytes=-3", Span(7, 9, 10)),
        ("bytes=-30", Span(0, 9, 10)),
        ("bytes=9-999999999999999999", Span(9, 9, 10)),
        ("bytes=0-1,3-4", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=--5", None),
        ("bytes=a-b", None),
        ("bytes=٠-٣", None),
        ("lines=0-3", None),
        ("bytes=" + "9" * 500 + "-", None),
        ("", None),
    ],
)
def test_one_range_is_obeyed_and_what_is_none_is_ignored(
    header: str, expected: Span | None
) -> None:
    assert asked_span(header, 10) == expected


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_past_the_end_cannot_be_satisfied(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        asked_span(header, size)


def test_a_part_of_a_file_is_sent(client_for: Any, clerk: Any) -> None:
    url = file_of(None, S.STORED).get_file_access_url()

    response = client_for(clerk).get(url, headers={"range": "bytes=2-4"})

    assert (response.status_code, sent(response)) == (206, b"234")
    assert response["Content-Range"] == "bytes 2-4/10"
    assert response["Content-Length"] == "3"


def test_a_range_past_the_end_is_told(client_for: Any, clerk: Any) -> None:
    url = file_of(None, S.STORED).get_file_access_url()

    response = client_for(clerk).get(url, headers={"range": "bytes=10-"})

    assert (response.status_code, response["Content-Range"]) == (416, "bytes */10")


def test_a_range_of_an_older_version_gets_the_whole_file(
    client_for: Any, clerk: Any
) -> None:
    url = file_of(None, S.STORED).get_file_access_url()

    headers = {"range": "bytes=2-4", "if-range": '"another"'}
    response = client_for(clerk).get(url, headers=headers)

    assert (response.status_code, sent(response)) == (200, DIGITS)


def test_an_unchanged_file_is_not_sent_again(client_for: Any, clerk: Any) -> None:
    file = file_of(None, S.STORED)
    headers = {"if-none-match": f'"{file.sha256}"'}

    response = client_for(clerk).get(file.get_file_access_url(), headers=headers)

    assert (response.status_code, response.content) == (304, b"")


def test_knowing_the_digest_opens_no_file(client_for: Any, other_uploader: Any) -> None:
    file = file_of(None, S.STORED)
    headers = {"if-none-match": f'"{file.sha256}"'}

    response = client_for(other_uploader).get(
        file.get_file_access_url(), headers=headers
    )

    assert response.status_code == 404
