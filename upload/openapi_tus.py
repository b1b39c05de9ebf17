"""The description of the resumable uploads: tus 1.0, header by header."""

from django.utils.translation import gettext as _

from upload import tus
from upload.openapi_parts import (
    NUMBER,
    STRING,
    TIME,
    Doc,
    in_path,
    in_query,
    object_of,
    operation,
    ref,
)

UPLOADS = "/upload-session/{uuid}/tus/"
UPLOAD = "/upload-session/{uuid}/tus/{upload}"
VERSION = {"type": "string", "const": tus.VERSION}
# Of creation and of a piece; 460 is the protocol's own.
LIMITS, PIECES = (409, 411, 412, 413, 415, 460, 507), (409, 411, 412, 413, 415, 423)


def schemas() -> dict[str, Doc]:
    begun = {
        "name": STRING,
        "relative_path": STRING,
        "length": NUMBER,
        "offset": NUMBER,
        "finished": {"type": "boolean"},
        "last_modified": STRING,
        "expires_at": TIME,
        "url": STRING,
    }
    many = {"type": "array", "items": ref("Upload")}
    more = {"type": "boolean"}
    return {
        "Upload": object_of(begun),
        "Uploads": object_of({"page": NUMBER, "more": more, "results": many}),
    }


def paths() -> dict[str, Doc]:
    session = in_path("uuid")
    one = [session, in_path("upload"), _header("Tus-Resumable", VERSION)]
    return {
        UPLOADS: {
            "get": _tus(
                _("List what was begun, by name where one is given"),
                {200: "Uploads"},
                [
                    session,
                    in_query("name", STRING),
                    in_query("finished", {"type": "string", "const": "0"}),
                    in_query("page", NUMBER),
                ],
            ),
            "post": _creation(session),
            "options": _told(
                _tus(_("Ask what of tus 1.0 is spoken"), {}, [session]),
                "204",
                "Tus-Version",
                "Tus-Extension",
                "Tus-Max-Size",
                "Tus-Checksum-Algorithm",
            ),
        },
        UPLOAD: {
            "head": _told(
                _tus(_("Ask for the offset"), {}, one, (409, 412)),
                "200",
                "Upload-Offset",
                "Upload-Length",
                "Upload-Expires",
                "Upload-Metadata",
            ),
            "patch": _piece(one),
            "delete": _tus(_("End an upload"), {204: ""}, one, (409, 412, 423)),
        },
    }


def _tus(
    summary: str,
    results: dict[int, str],
    parameters: list[Doc],
    refusals: tuple[int, ...] = (409,),
) -> Doc:
    told = operation(summary, results, parameters, refusals)
    told["security"] += [{"token": []}]
    return told


def _header(name: str, schema: Doc, *, required: bool = True) -> Doc:
    return {"name": name, "in": "header", "required": required, "schema": schema}


def _told(operation: Doc, status: str, *headers: str) -> Doc:
    """Add an answer without a body, which tells by these headers."""
    named = {name: {"schema": STRING} for name in headers}
    answer = {"description": _("Done; no content."), "headers": named}
    operation["responses"][status] = answer
    return operation


def _creation(session: Doc) -> Doc:
    parameters = [
        session,
        _header("Tus-Resumable", VERSION),
        _header("Upload-Length", NUMBER),
        _header("Upload-Metadata", STRING),
        _header("Upload-Checksum", STRING, required=False),
    ]
    told = _tus(_("Begin a resumable upload"), {}, parameters, LIMITS)
    told["description"] = _(
        "“Upload-Metadata” holds filename and, where there are any, relative_path, "
        "sha256 and numbered. The first bytes may come at once."
    )
    told["requestBody"] = {"required": False, "content": _bytes()}
    return _told(told, "201", "Location", "Upload-Offset", "Upload-Expires")


def _piece(one: list[Doc]) -> Doc:
    parameters = [
        *one,
        _header("Upload-Offset", NUMBER),
        _header("Upload-Checksum", STRING, required=False),
    ]
    refusals = (*PIECES, 422, 460, 507)
    told = _tus(_("Send the next bytes"), {}, parameters, refusals)
    told["description"] = _(
        "The offset that is told is durable. With the last byte the upload becomes a "
        "file of the session; what is refused then has ended."
    )
    told["requestBody"] = {"required": True, "content": _bytes()}
    return _told(told, "204", "Upload-Offset", "Upload-Expires")


def _bytes() -> Doc:
    return {tus.PIECE: {"schema": {"type": "string", "format": "binary"}}}
