"""Every list and page says what it is for; an empty list says what to do next."""

from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django_q.models import Failure, OrmQ, Schedule, Success

from admin_ext.purposes import PURPOSES
from tests.admin_ext.pages import admin_url, make_queue_rows
from tests.make import make_job, make_session, run
from tests.people import ClientFor
from upload import holding
from upload.models import Job, SessionEvent, UploadSession
from upload.states import JobKind, SessionStatus

pytestmark = pytest.mark.django_db
MODELS = list(admin.site._registry)
NO_PAGE = {OrmQ}


@pytest.fixture
def page(superuser: Any, client_for: ClientFor) -> Any:
    client: Client = client_for(superuser)
    return lambda url: unescape(client.get(url).content.decode())


def test_every_model_of_the_admin_has_its_purpose() -> None:
    assert {model._meta.label_lower for model in MODELS} == set(PURPOSES)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_says_what_it_is_for(page: Any, model: Any) -> None:
    shown = page(admin_url(model, "changelist"))

    assert str(PURPOSES[model._meta.label_lower].whole) in shown


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_empty_list_says_what_to_do(page: Any, model: Any) -> None:
    if not model._default_manager.exists():
        shown = page(admin_url(model, "changelist"))

        assert str(PURPOSES[model._meta.label_lower].empty) in shown


def test_a_list_that_a_search_emptied_says_so(page: Any) -> None:
    make_session()

    for url in (
        admin_url(UploadSession, "changelist") + "?q=nothing-is-named-so",
        admin_url(UploadSession, "changelist") + "?status=SD",
        admin_url(Job, "changelist") + "?state=failed",
    ):
        shown = page(url)
        assert "Nothing matches the search and the filters." in shown
        assert "Reset filters" in shown


def test_the_page_of_a_row_says_what_it_is_for(page: Any) -> None:
    session = make_session(SessionStatus.UPLOADING)
    holding.place(session, None, "Case 12")
    run(make_job(session, JobKind.STORE))
    make_queue_rows()
    seen = set()
    for model in MODELS:
        row = model._default_manager.first()
        if row is None or model in NO_PAGE:
            continue
        said = str(PURPOSES[model._meta.label_lower].one)
        assert said in page(admin_url(model, "change", row.pk)), model
        seen.add(model)

    assert {UploadSession, Job, SessionEvent, Schedule, Success, Failure} <= seen
