"""URLs that stand before those of the admin site."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def search(request: HttpRequest) -> HttpResponse:
    """Search the sidebar's pages; they fill one page, and Unfold fails on another."""
    if request.GET.get("page", "1") != "1":
        raise Http404
    found: HttpResponse = admin.site.admin_view(admin.site.search)(request)  # type: ignore[attr-defined]
    return found


urlpatterns = [path("search/", search)]
