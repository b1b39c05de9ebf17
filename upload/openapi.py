"""The description of our HTTP endpoints, as OpenAPI 3.1, made from what answers them.

Filters, statuses and codes are read from the code that uses them, so they cannot drift;
``tests/upload/test_openapi.py`` holds the rest against the real addresses and answers.
"""

from typing import Any

from django.utils.translation import gettext as _
from django_filters import MultipleChoiceFilter

from upload import answers
from upload.filters import SessionFilter
from upload.states import SessionStatus

VERSION = "1.0"
JSON = "application/json"
STRING, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
UUID = {"type": "string", "format": "uuid"}
TIME = {"type": "string", "format": "date-time"}
MAYBE_TEXT = {"type": ["string", "null"]}
MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
DIGEST = {"type": "string", "pattern": "^([0-9A-Fa-f]{64})?$"}
# What any endpoint may answer, beside what it names itself.
ALWAYS = (400, 401, 403, 404, 405, 503)

type Doc = dict[str, Any]


def document() -> Doc:
    """Return the whole description, in the language of the reader."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Muniment", "version": VERSION, "description": _about()},
        "paths": _paths(),
        "components": {"schemas": schemas(), "securitySchemes": _security()},
    }


def _about() -> str:
    return _(
        "Sessions are opened, and files sent, listed, removed and opened. Whoever came "
        "by a sign-in sends the cookie, and X-CSRFToken with what changes something; a "
        "script sends a session's token, which opens its uploads alone. Every refusal "
        "has “code”, “error” and “hint”."
    )


def _security() -> Doc:
    return {
        "cookie": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        "token": {"type": "http", "scheme": "bearer"},
    }


def _object(properties: Doc, *optional: str) -> Doc:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _ref(name: str) -> Doc:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(name: str) -> Doc:
    return {"type": "array", "items": _ref(name)}


def schemas() -> dict[str, Doc]:
    told = {"code": STRING, "error": STRING, "hint": STRING}
    outcome = {"name": STRING, "status": NUMBER, "file": _ref("File"), **told}
    sent = {"kept": NUMBER, "refused": NUMBER, "results": _list_of("Outcome")}
    pages = {"page": NUMBER, "results": _list_of("File"), "more": {"type": "boolean"}}
    return {
        "Refusal": _object(told),
        "Session": _object(_session()),
        "Sessions": _object(
            {"count": NUMBER, "page": NUMBER, "pages": NUMBER}
            | {"results": _list_of("Session")}
        ),
        "File": _object(_file()),
        "Files": _object({"session": _ref("Session"), **pages}),
        "Outcome": _object(outcome, "file", *told),
        "Sent": _object(sent | told, *told),
    }


def _session() -> Doc:
    statuses = [status.value for status in SessionStatus]
    return {
        "uuid": UUID,
        "status": {"type": "string", "enum": statuses},
        "status_label": STRING,
        "owner": MAYBE_TEXT,
        "started_at": TIME,
        "last_interaction_at": TIME,
        "expires_at": MAYBE_TIME,
        "on_hold": {"type": "boolean"},
        "files": NUMBER,
        "size_bytes": NUMBER,
        "files_url": STRING,
        "upload_url": STRING,
    }


def _file() -> Doc:
    return {
        "uuid": UUID,
        "name": STRING,
        "original_name": STRING,
        "relative_path": STRING,
        "size_bytes": NUMBER,
        "sha256": DIGEST,
        "content_type": STRING,
        "received_at": TIME,
        "stored": {"type": "boolean"},
        "url": STRING,
    }


def _paths() -> dict[str, Doc]:
    session, file = _in_path("uuid"), _in_path("file")
    return {
        "/upload-session/": {
            "get": _operation(_("List sessions"), {200: "Sessions"}, _filters()),
            "post": _operation(_("Open a session"), {201: "Session"}, refusals=(409,)),
        },
        "/upload-session/{uuid}/files/": {
            "get": _operation(
                _("List the files of a session"), {200: "Files"}, [session, *_paging()]
            ),
            "post": _sending(session),
        },
        "/upload-session/{uuid}/files/{file}/": {
            "get": _operation(
                _("Ask about one file of a session"), {200: "File"}, [session, file]
            ),
            "delete": _operation(
                _("Remove a temporary file"), {204: ""}, [session, file], (409, 410)
            ),
        },
        "/files/{uuid}/": {
            "get": _bytes(_("Open a file")),
            "head": _bytes(_("Ask about a file")),
        },
    }


def _in_path(name: str) -> Doc:
    return {"name": name, "in": "path", "required": True, "schema": UUID}


def _in_query(name: str, schema: Doc, about: str = "") -> Doc:
    return {"name": name, "in": "query", "schema": schema, "description": about}


def _paging() -> list[Doc]:
    one = NUMBER | {"minimum": 1}
    return [_in_query("page", one), _in_query("page_size", one)]


def _filters() -> list[Doc]:
    """Return the query of the list of sessions, from the filters themselves."""
    return [
        _in_query(name, _schema_of(filter_), str(filter_.label or ""))
        for name, filter_ in SessionFilter.base_filters.items()
    ] + _paging()


def _schema_of(filter_: Any) -> Doc:
    choices = [value for value, _label in filter_.extra.get("choices", ())]
    if not choices:
        return STRING
    one = {"type": "string", "enum": choices}
    is_many = isinstance(filter_, MultipleChoiceFilter)
    return {"type": "array", "items": one} if is_many else one


def _operation(
    summary: str,
    results: dict[int, str],
    parameters: list[Doc] | None = None,
    refusals: tuple[int, ...] = (),
) -> Doc:
    good = {str(status): _answer(name) for status, name in results.items()}
    bad = {str(status): _answer("Refusal") for status in (*ALWAYS, *refusals)}
    told = {"summary": summary, "responses": bad | good, "security": [{"cookie": []}]}
    return told | ({"parameters": parameters} if parameters else {})


def _answer(name: str) -> Doc:
    if not name:
        return {"description": _("Done; no content.")}
    return {"description": name, "content": {JSON: {"schema": _ref(name)}}}


def _sending(session: Doc) -> Doc:
    """Return the upload: any status of a refusal, with what became of each file."""
    statuses = sorted({status for _kind, status in answers.STATUSES} | {410})
    told = _operation(_("Send files into a session"), {201: "Sent"}, [session])
    told["responses"] |= {str(status): _answer("Sent") for status in statuses}
    told["responses"] |= {str(status): _answer("Refusal") for status in (405,)}
    told["security"] += [{"token": []}]
    many = {"type": "array"}
    form = _object(
        {
            "file": many | {"items": {"type": "string", "format": "binary"}},
            "sha256": many | {"items": DIGEST},
            "relative_path": many | {"items": STRING},
            "numbered": many | {"items": STRING},
        },
        *("sha256", "relative_path", "numbered"),
    )
    told["description"] = _(
        "One or many parts “file”. “sha256” and “relative_path” stand once for each "
        "file, in the same order, or not at all; numbered=1 keeps a file whose name is "
        "taken under a numbered one."
    )
    content = {"multipart/form-data": {"schema": form}}
    return told | {"requestBody": {"required": True, "content": content}}


def _bytes(summary: str) -> Doc:
    told = _operation(summary, {}, [_in_path("uuid")])
    binary = {"schema": {"type": "string", "format": "binary"}}
    for status in ("200", "206"):
        content = {"application/octet-stream": binary}
        told["responses"][status] = {"description": summary, "content": content}
    for status in ("302", "304", "412", "416"):
        told["responses"][status] = {"description": status}
    return told
