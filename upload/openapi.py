"""The description of our HTTP endpoints, as OpenAPI 3.1, made from what answers them.

Filters, statuses and codes are read from the code that uses them, so they cannot drift;
``tests/upload/test_openapi.py`` holds the rest against the real addresses and answers.
"""

from typing import Any

from django.utils.translation import gettext as _
from django_filters import MultipleChoiceFilter

from upload import answers, openapi_tus
from upload.filters import SessionFilter
from upload.openapi_parts import (
    DIGEST,
    MAYBE_TEXT,
    MAYBE_TIME,
    NUMBER,
    STRING,
    TIME,
    UUID,
    Doc,
    answer,
    in_path,
    in_query,
    object_of,
    operation,
    ref,
)
from upload.states import SessionStatus

VERSION = "1.0"


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


def _list_of(name: str) -> Doc:
    return {"type": "array", "items": ref(name)}


def schemas() -> dict[str, Doc]:
    told = {"code": STRING, "error": STRING, "hint": STRING}
    outcome = {"name": STRING, "status": NUMBER, "file": ref("File"), **told}
    sent = {"kept": NUMBER, "refused": NUMBER, "results": _list_of("Outcome")}
    pages = {"page": NUMBER, "results": _list_of("File"), "more": {"type": "boolean"}}
    return {
        "Refusal": object_of(told),
        "Session": object_of(_session()),
        "Sessions": object_of(
            {"count": NUMBER, "page": NUMBER, "pages": NUMBER}
            | {"results": _list_of("Session")}
        ),
        "File": object_of(_file()),
        "KnownFile": object_of(_known_file()),
        "KnownFiles": object_of({"results": _list_of("KnownFile")}),
        **openapi_tus.schemas(),
        "Files": object_of({"session": ref("Session"), **pages}),
        "Outcome": object_of(outcome, "file", *told),
        "Sent": object_of(sent | told, *told),
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


def _known_file() -> Doc:
    same = {name: _file()[name] for name in ("uuid", "name", "size_bytes", "sha256")}
    stored = {"type": "boolean"}
    return {"path": STRING, **same, "last_modified": STRING, "stored": stored}


def _paths() -> dict[str, Doc]:
    session, file = in_path("uuid"), in_path("file")
    return {
        "/upload-session/": {
            "get": operation(_("List sessions"), {200: "Sessions"}, _filters()),
            "post": operation(_("Open a session"), {201: "Session"}, refusals=(409,)),
        },
        "/upload-session/{uuid}/files/": {
            "get": operation(
                _("List the files of a session"), {200: "Files"}, [session, *_paging()]
            ),
            "post": _sending(session),
        },
        "/upload-session/{uuid}/files/known/": {"post": _known(session)},
        "/upload-session/{uuid}/files/{file}/": {
            "get": operation(
                _("Ask about one file of a session"), {200: "File"}, [session, file]
            ),
            "delete": operation(
                _("Remove a temporary file"), {204: ""}, [session, file], (409, 410)
            ),
        },
        **openapi_tus.paths(),
        "/files/{uuid}/": {
            "get": _bytes(_("Open a file")),
            "head": _bytes(_("Ask about a file")),
        },
    }


def _known(session: Doc) -> Doc:
    summary = _("Ask which of these files a session has")
    told = operation(summary, {200: "KnownFiles"}, [session], (400, 413))
    schema = object_of({"paths": {"type": "array", "items": STRING}})
    content = {"application/json": {"schema": schema}}
    return told | {"requestBody": {"required": True, "content": content}}


def _paging() -> list[Doc]:
    one = NUMBER | {"minimum": 1}
    return [in_query("page", one), in_query("page_size", one)]


def _filters() -> list[Doc]:
    """Return the query of the list of sessions, from the filters themselves."""
    return [
        in_query(name, _schema_of(filter_), str(filter_.label or ""))
        for name, filter_ in SessionFilter.base_filters.items()
    ] + _paging()


def _schema_of(filter_: Any) -> Doc:
    choices = [value for value, _label in filter_.extra.get("choices", ())]
    if not choices:
        return STRING
    one = {"type": "string", "enum": choices}
    is_many = isinstance(filter_, MultipleChoiceFilter)
    return {"type": "array", "items": one} if is_many else one


def _sending(session: Doc) -> Doc:
    """Return the upload: any status of a refusal, with what became of each file."""
    statuses = sorted({status for _kind, status in answers.STATUSES} | {410})
    told = operation(_("Send files into a session"), {201: "Sent"}, [session])
    told["responses"] |= {str(status): answer("Sent") for status in statuses}
    told["responses"] |= {str(status): answer("Refusal") for status in (405,)}
    told["security"] += [{"token": []}]
    many = {"type": "array"}
    form = object_of(
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
    told = operation(summary, {}, [in_path("uuid")])
    binary = {"schema": {"type": "string", "format": "binary"}}
    for status in ("200", "206"):
        content = {"application/octet-stream": binary}
        told["responses"][status] = {"description": summary, "content": content}
    for status in ("302", "304", "412", "416"):
        told["responses"][status] = {"description": status}
    return told
