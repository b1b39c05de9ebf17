"""The frame of a page for people: that of the staff site, or a plain one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string

from upload import answers, conf


def page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render for staff in the frame of their site, for others in a plain one."""
    frame: dict[str, Any] = {"frame": "upload/frame.html"}
    if request.user.is_staff and conf.staff_site():
        frame = import_string(conf.staff_site()).each_context(request)
        frame |= {"frame": "admin/base_site.html"}
    return answers.private(render(request, template, frame | context, status=status))
