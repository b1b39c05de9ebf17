"""Axe finds nothing against WCAG 2 A and AA on the pages people work on.

Unfold's own parts of these pages pass as well, so nothing is excused.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_job, make_session
from upload import orders
from upload.models import UploadSession
from upload.orders import Wish
from upload.states import JobKind, SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}


def barriers(page: Page) -> list[str]:
    """Return a line for each element that breaks a rule, in light or in dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload(wait_until="networkidle")
        found += [f"{scheme}: {line}" for line in barriers_as_shown(page)]
    return found


def barriers_as_shown(page: Page) -> list[str]:
    return [
        f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in Axe().run(page, options=OPTIONS).response["violations"]
        for node in rule["nodes"]
    ]


@pytest.fixture
def session(clerk: User) -> UploadSession:
    """A session with files and with a job that runs."""
    session = make_session(SessionStatus.UPLOADING, user=clerk)
    make_job(session, JobKind.STORE, state="running", files_total=10, files_done=4)
    return session


def address(name: str, session: UploadSession) -> str:
    job = session.job_set.get()
    addresses = {
        "dashboard": ("admin:index", []),
        "list": ("admin:upload_uploadsession_changelist", []),
        "session": ("admin:upload_uploadsession_change", [session.pk]),
        "preview": ("admin:upload_uploadsession_verb", [session.pk, "remove"]),
        "upload": ("upload:upload_page", [session.uuid]),
        "job": ("admin:upload_job_change", [job.pk]),
    }
    view, arguments = addresses[name]
    return reverse(view, args=arguments)


@pytest.mark.parametrize(
    "name", ["dashboard", "list", "session", "preview", "upload", "job"]
)
def test_a_page_for_staff_has_no_known_barrier(
    name: str, session: UploadSession, clerk: User, page_for: PageFor
) -> None:
    page = page_for(clerk)

    page.goto(address(name, session))

    assert barriers(page) == []


@pytest.mark.parametrize("page_name", ["change", "preview"])
def test_a_page_of_a_bulk_order_has_no_known_barrier(
    page_name: str, session: UploadSession, clerk: User, page_for: PageFor
) -> None:
    make_session(SessionStatus.UPLOADING)
    order = orders.draft("expire", UploadSession.objects.all(), clerk)
    if page_name == "change":
        orders.confirm(order, clerk, Wish("Sent twice"))
    page = page_for(clerk)

    page.goto(reverse(f"admin:upload_bulkorder_{page_name}", args=[order.pk]))

    assert barriers(page) == []


@pytest.mark.parametrize("path", ["/login/", "/admin/login/"])
def test_a_sign_in_page_has_no_known_barrier(path: str, page_for: PageFor) -> None:
    page = page_for()

    page.goto(path)

    assert barriers(page) == []


def test_a_refused_file_is_told_without_a_known_barrier(
    session: UploadSession, clerk: User, page_for: PageFor
) -> None:
    page = page_for(clerk, color_scheme="dark")
    page.goto(address("upload", session))

    refused = {"name": "a.exe", "mimeType": "", "buffer": b"MZ"}
    page.locator("#upload-input").set_input_files(refused)

    page.locator("[data-state=failed]").wait_for()
    assert barriers_as_shown(page) == []
