"""The description of the endpoints: a page for people, JSON for tools."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from upload import openapi
from upload.views.frames import page


@require_safe
def description(request: HttpRequest) -> HttpResponse:
    return JsonResponse(openapi.document())


@require_safe
def for_people(request: HttpRequest) -> HttpResponse:
    described = openapi.document()
    context = {
        "title": _("HTTP endpoints"),
        "about": described["info"]["description"],
        "operations": [
            _line(path, method, told)
            for path, methods in described["paths"].items()
            for method, told in methods.items()
        ],
        "schemas": described["components"]["schemas"],
    }
    return page(request, "upload/api.html", context)


def _line(path: str, method: str, told: dict[str, Any]) -> dict[str, Any]:
    body = told.get("requestBody", {}).get("content", {})
    fields = [form["schema"].get("properties", ()) for form in body.values()]
    return {
        "path": path,
        "method": method.upper(),
        "summary": told["summary"],
        "description": told.get("description", ""),
        "query": [p for p in told.get("parameters", ()) if p["in"] == "query"],
        "fields": [name for properties in fields for name in properties],
        "statuses": ", ".join(sorted(told["responses"])),
        "by_token": {"token": []} in told["security"],
    }
