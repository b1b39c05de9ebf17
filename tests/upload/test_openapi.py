"""The description of the endpoints is true: addresses, answers and refusals."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve, reverse

from tests.make import make_session
from tests.upload.http import file_part, files_url, post, random_uuid
from tests.upload.tus_requests import VERSION, begin, send, tus_url
from upload import openapi
from upload.filters import SessionFilter
from upload.states import SessionStatus
from upload.urls import urlpatterns

pytestmark = pytest.mark.django_db
# Addresses that are pages, or the storages' own.
UNDESCRIBED = {
    *("media", "own_sessions", "own_session", "describe", "reuse_description"),
    *("submit", "api", "openapi", "new_session", "upload_page"),
}
PARTS = ("uuid", "file", "upload")
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def faults(value: Any, schema: dict[str, Any], where: str = "") -> list[str]:
    """Return where a JSON value is not as its schema says, and what no schema names."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return faults(value, openapi.schemas()[name], f"{where}/{name}")
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(value, KINDS[kind]) for kind in kinds):
        return [f"{where}: {value!r} is no {kinds}"]
    if isinstance(value, list):
        return [f for one in value for f in faults(one, schema["items"], where)]
    if not isinstance(value, dict):
        return []
    known = schema["properties"]
    found = [f"{where}: {name} is missing" for name in {*schema["required"]} - {*value}]
    found += [f"{where}: {name} is not described" for name in {*value} - {*known}]
    for name in {*value} & {*known}:
        found += faults(value[name], known[name], f"{where}/{name}")
    return found


def is_as_described(path: str, method: str, response: Any) -> bool:
    """Tell whether status and body are those of the description."""
    told = openapi.document()["paths"][path][method]["responses"]
    answer = told[str(response.status_code)]
    if "content" not in answer:
        return not response.content
    (content,) = answer["content"].values()
    assert faults(json.loads(response.content), content["schema"]) == []
    return True


def test_every_endpoint_is_described_and_no_other() -> None:
    named = {
        str(resolve(path.format(**dict.fromkeys(PARTS, random_uuid()))).url_name)
        for path in openapi.document()["paths"]
    }

    assert named == {str(one.name) for one in urlpatterns} - UNDESCRIBED


def test_every_filter_is_described() -> None:
    query = openapi.document()["paths"]["/upload-session/"]["get"]["parameters"]

    assert {one["name"] for one in query} == {
        *SessionFilter.base_filters,
        "page",
        "page_size",
    }


SESSIONS, FILES = "/upload-session/", "/upload-session/{uuid}/files/"
TUS = "/upload-session/{uuid}/tus/"
TUS_ONE = "/upload-session/{uuid}/tus/{upload}"
FILE = "/upload-session/{uuid}/files/{file}/"
KNOWN = "/upload-session/{uuid}/files/known/"


def test_what_is_answered_is_what_is_described(client_for: Any, clerk: Any) -> None:
    client, session = client_for(clerk), make_session(SessionStatus.UPLOADING)
    row = session.tempuploadedfile_set.first()
    file = reverse("upload:session_file", args=[session.uuid, row.uuid])
    sent = post(client, session, file_part("c.txt"), file_part("c.exe"))

    assert is_as_described(SESSIONS, "get", client.get(SESSIONS))
    assert is_as_described(SESSIONS, "post", client.post(SESSIONS))
    assert is_as_described(FILES, "get", client.get(files_url(session)))
    assert is_as_described(FILES, "post", sent)
    assert is_as_described(FILES, "post", post(client, session, file_part("d.txt")))
    assert is_as_described(FILE, "get", client.get(file))
    assert is_as_described(FILE, "delete", client.delete(file))


def test_what_is_known_is_what_is_described(client_for: Any, clerk: Any) -> None:
    client, session = client_for(clerk), make_session(SessionStatus.UPLOADING)
    url = reverse("upload:known_files", args=[session.uuid])
    kind = "application/json"
    known, odd = (
        client.post(url, {"paths": paths}, content_type=kind)
        for paths in (["a.txt"], 1)
    )

    assert len(json.loads(known.content)["results"]) == 1
    assert is_as_described(KNOWN, "post", known)
    assert is_as_described(KNOWN, "post", odd)


def test_what_is_refused_is_what_is_described(client_for: Any, auditor: Any) -> None:
    client, stranger = client_for(auditor), Client()
    session = make_session()
    file = reverse("upload:session_file", args=[session.uuid, random_uuid()])

    assert is_as_described(SESSIONS, "get", stranger.get(SESSIONS))
    assert is_as_described(SESSIONS, "get", client.get(SESSIONS, {"x": "y"}))
    assert is_as_described(SESSIONS, "post", client.post(SESSIONS))
    assert is_as_described(FILE, "delete", client.delete(file))
    assert is_as_described(FILE, "delete", client.put(file))
    assert is_as_described(FILE, "get", client.get(file))


def test_what_tus_answers_is_what_is_described(client_for: Any, uploader: Any) -> None:
    client, session = client_for(uploader), make_session(user=uploader)
    begun = begin(client, session, 10)
    url = begun["Location"]

    assert is_as_described(TUS, "post", begun)
    assert is_as_described(TUS, "post", begin(client, session, 5, filename="a.exe"))
    assert is_as_described(TUS, "get", client.get(tus_url(session)))
    assert is_as_described(TUS, "options", client.options(tus_url(session)))
    assert is_as_described(TUS_ONE, "head", client.head(url, **VERSION))
    assert is_as_described(TUS_ONE, "patch", send(client, url, 0, b"alpha"))
    assert is_as_described(TUS_ONE, "patch", send(client, url, 0, b"alpha"))
    assert is_as_described(TUS_ONE, "delete", client.delete(url, **VERSION))


def test_every_header_that_tus_tells_is_described(
    client_for: Any, uploader: Any
) -> None:
    client, session = client_for(uploader), make_session(user=uploader)
    begun = begin(client, session, 10)
    described = openapi.document()["paths"]
    creation = described[TUS]["post"]["responses"]["201"]["headers"]
    offset = described[TUS_ONE]["head"]["responses"]["200"]["headers"]

    assert {*creation} <= {*begun.headers}
    assert {*offset} <= {*client.head(begun["Location"], **VERSION).headers}


def test_tools_and_people_read_it_without_signing_in() -> None:
    told = Client().get(reverse("upload:openapi"))
    page = Client().get(reverse("upload:api"))

    assert json.loads(told.content)["openapi"] == "3.1.0"
    assert "POST /upload-session/{uuid}/files/" in page.content.decode()


def test_a_wrong_answer_is_noticed() -> None:
    assert len(faults({"code": 1, "x": ""}, openapi.schemas()["Refusal"])) == 4
