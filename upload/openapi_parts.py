"""Words of the OpenAPI description: kinds of values, schemas, operations, answers."""

from typing import Any

from django.utils.translation import gettext as _

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


def object_of(properties: Doc, *optional: str) -> Doc:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def ref(name: str) -> Doc:
    return {"$ref": f"#/components/schemas/{name}"}


def in_path(name: str) -> Doc:
    return {"name": name, "in": "path", "required": True, "schema": UUID}


def in_query(name: str, schema: Doc, about: str = "") -> Doc:
    return {"name": name, "in": "query", "schema": schema, "description": about}


def operation(
    summary: str,
    results: dict[int, str],
    parameters: list[Doc] | None = None,
    refusals: tuple[int, ...] = (),
) -> Doc:
    good = {str(status): answer(name) for status, name in results.items()}
    bad = {str(status): answer("Refusal") for status in (*ALWAYS, *refusals)}
    told = {"summary": summary, "responses": bad | good, "security": [{"cookie": []}]}
    return told | ({"parameters": parameters} if parameters else {})


def answer(name: str) -> Doc:
    if not name:
        return {"description": _("Done; no content.")}
    return {"description": name, "content": {JSON: {"schema": ref(name)}}}
