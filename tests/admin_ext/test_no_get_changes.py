"""Nothing in the admin changes by GET, HEAD or OPTIONS: every URL, every row.

The URLs are read from the registry, so that an admin that is added is crawled too.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from admin_ext.job_pages import ASKS
from admin_ext.verbs import BULK_VERBS
from portal.models import User
from tests.admin_ext.pages import make_queue_rows
from tests.make import make_destination, make_job, make_session
from tests.people import ClientFor
from upload.models import (
    AccessLog,
    FileCopy,
    InProgressSubmission,
    Submission,
    UploadSession,
    WorkerBeat,
)
from upload.states import JobKind, SessionStatus

METHODS = ["get", "head", "options"]
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# What a POST of the list would send.
TEMPTATION = {"action": "expire_sessions", "_selected_action": "1", "confirm": "1"}
# Reading is refused where there is nothing to read, and never fails.
GOOD = {200, 301, 302, 400, 403, 404, 405}


@pytest.fixture
def world(storages_in_tmp: Any, superuser: User) -> None:
    """Make at least one row of every model that has an admin."""
    for status in SessionStatus:
        make_job(make_session(status), JobKind.STORE, state="failed")
    session = UploadSession.objects.filter(status=SessionStatus.STORED).get()
    make_job(session, JobKind.REMOVE, state="awaiting")
    place = {"session": session, "session_uuid": session.uuid}
    named = place | {"file_uuid": session.uuid, "name": "a"}
    AccessLog.objects.create(**named, action="view")
    FileCopy.objects.create(**named, place="p", size_bytes=1, sha256="a")
    make_destination(storages_in_tmp / "destinations" / "box")
    Submission.objects.create(title="a", upload_session=session)
    InProgressSubmission.objects.create(title="b")
    WorkerBeat.objects.create(queue="default", seen_at=timezone.now())
    make_queue_rows()


def all_urls() -> Iterator[str]:
    yield from ("/admin/", "/admin/search/?s=a", "/admin/autocomplete/")
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLPattern) and "<" not in str(pattern.pattern):
            yield f"/admin/{pattern.pattern}"
    for model, model_admin in admin.site._registry.items():
        options = model._meta
        base = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        for pattern in flat(model_admin.urls):
            yield from urls_of(base, pattern, model)


def flat(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from flat(pattern.url_patterns)
        else:
            yield pattern


def urls_of(base: str, pattern: URLPattern, model: Any) -> Iterator[str]:
    """Yield the pattern's URL for rows of the model and each value of a slug."""
    rows = model._default_manager.order_by("pk").values_list("pk", flat=True)
    keys = rows if model is UploadSession else rows[:1]
    slugs = {"verb": [v.value for v in BULK_VERBS], "ask": list(ASKS)}
    route = str(pattern.pattern).replace("\\Z", "").strip("^$")
    names = PARAMETER.findall(route)
    slug = next((name for name in names if name in slugs), "")
    for key in keys if names else [""]:
        for word in slugs.get(slug, [""]):
            yield base + PARAMETER.sub(
                lambda found, key=key, word=word: str(
                    word if found[1] == slug else key
                ),
                route,
            )


def contents() -> dict[str, str]:
    """Return a digest of every table; sign-ins are no part of the portal's data."""
    return {
        model._meta.db_table: digest(model)
        for model in apps.get_models(include_auto_created=True)
        if model is not Session
    }


def digest(model: Any) -> str:
    # Columns as the database keeps them: pickles are compared, not opened.
    names = [f.attname for f in model._meta.concrete_fields if not is_pickle(f)]
    rows = sorted(str(row) for row in model._base_manager.values_list(*names))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def is_pickle(field: Any) -> bool:
    return type(field).__name__ == "PickledObjectField"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("method", METHODS)
def test_reading_every_url_of_the_admin_changes_no_row(
    method: str, superuser: User, client_for: ClientFor
) -> None:
    client, before = client_for(superuser), contents()
    urls = sorted(set(all_urls()))

    for url in urls:
        response = getattr(client, method)(url)
        assert response.status_code in GOOD, f"{url}: {response.status_code}"

    assert len(urls) > 120
    assert contents() == before


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("method", METHODS)
def test_a_form_in_the_query_string_changes_no_row(
    method: str, superuser: User, client_for: ClientFor
) -> None:
    client, before = client_for(superuser), contents()
    urls = [
        url for url in set(all_urls()) if "/uploadsession/" in url or "/job/" in url
    ]

    for url in urls:
        response = getattr(client, method)(url, query_params=TEMPTATION)
        assert response.status_code in GOOD, f"{url}: {response.status_code}"

    assert contents() == before


@pytest.mark.usefixtures("world")
def test_nobody_reads_nothing(nobody: User, client_for: ClientFor) -> None:
    client = client_for(nobody)
    shared = {"/admin/", "/admin/search/", "/admin/jsi18n/", "/admin/password_change/"}

    readable = {
        url.split("?")[0] for url in all_urls() if client.get(url).status_code == 200
    }

    assert readable <= shared | {"/admin/login/", "/admin/password_change/done/"}


@pytest.mark.usefixtures("world")
def test_who_is_not_signed_in_is_sent_to_the_sign_in(client: Client) -> None:
    statuses = {url: client.get(url).status_code for url in all_urls()}

    allowed = {"/admin/login/", "/admin/logout/", "/admin/jsi18n/"}
    assert {url for url, status in statuses.items() if status != 302} <= allowed
