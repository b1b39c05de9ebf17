"""The pictures of the documentation: the demo's portal, a job caught on its way.

Imported by ``tests.screenshots`` once settings are there. A picture that would weigh
too much to be committed is an error.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connections
from django.urls import reverse
from playwright.sync_api import Browser, Page, sync_playwright

from fixtures import people, samples
from fixtures.demo import load_demo
from portal import preparing
from tests.browsing import ARGUMENTS
from tests.journey import steps
from tests.journey.programs import NeverTrue, Process, wait_until, web_server, worker
from tests.services.system import require_program
from upload import direct, jobs, receive
from upload.models import Destination, Job, Submission, UploadSession
from upload.states import JobKind, SessionStatus

SIZE = {"width": 1440, "height": 900}
MOST_BYTES = 250_000
TAPES = 20
TAPE_SECONDS = 340  # some 30 MB
WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Look:
    """How the pages are shown, and where their pictures go."""

    folder: Path
    suffix: str = ""
    scheme: str = "light"
    language: str = "en"


def take(data: Path, docs: Path, other: Path | None) -> Iterator[Path]:
    """Start the portal in ``data`` and give each picture once it is written."""
    _prepare()
    looks = [Look(docs)]
    if other is not None:
        looks += [
            Look(other, "-dark", scheme="dark"),
            Look(other, "-ja", language="ja"),
        ]
    with ExitStack() as stack:
        address = stack.enter_context(web_server(dict(os.environ), data / "web.log"))
        browser = stack.enter_context(_chromium())
        with worker(dict(os.environ), data / "worker.log") as process:
            job = _catch_copy(process)
        signed_in = _sign_in(browser, address)
        for look in looks:
            yield from _take_all(browser, address, signed_in, look, job)


def _prepare() -> None:
    preparing.migrate()
    preparing.collect_static()
    call_command("sync_schedules", verbosity=0)
    load_demo(lambda line: None)
    connections.close_all()


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = require_program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def _sign_in(browser: Browser, address: str) -> object:
    """Return the clerk's cookies, so that each look need not sign in."""
    with browser.new_context(base_url=address) as context:
        steps.sign_in(context.new_page(), "clerk", people.passwords()["clerk"])
        return context.storage_state()


def _catch_copy(process: Process) -> Job:
    """Return a copy whose worker died on the way, so that its progress stands still."""
    wait_until(
        lambda: not Job.objects.active().exists(), WAIT_SECONDS, "The demo's jobs"
    )
    job = _request_copy(_store_tapes())
    wait_until(lambda: _is_under_way(job), WAIT_SECONDS, "A copy under way")
    process.kill()
    process.wait()
    if job.has_ended:
        raise NeverTrue("The copy ended too soon to be seen; make TAPES more.")
    # The name of the machine is nobody's business.
    Job.objects.filter(pk=job.pk).update(lease_owner="worker-1:2041")
    return job


def _store_tapes() -> UploadSession:
    clerk = get_user_model()._default_manager.get(username="clerk")
    session = UploadSession.new_session(user=clerk)
    for number in range(1, TAPES + 1):
        tape = samples.wav(TAPE_SECONDS, pitch_hertz=200 + number)
        file = SimpleUploadedFile(f"Fishermen's stories, tape {number:02}.wav", tape)
        receive.receive(session, file, receive.Intent(actor=clerk))
    direct.run_now(session, JobKind.STORE, requester=clerk)
    return session


def _request_copy(session: UploadSession) -> Job:
    Submission.objects.create(
        user=session.user,
        accession_number="2026-004",
        title="Fishermen's stories, recorded 1974",
        source="Demo",
        extent=session.get_quantity_and_unit_of_measure(),
        upload_session=session,
    )
    archive = Destination.objects.get(name="Archive room")
    return jobs.request(session, JobKind.COPY, session.user, destination=archive)


def _is_under_way(job: Job) -> bool:
    job.refresh_from_db()
    return job.has_ended or job.files_done > 0


def _take_all(
    browser: Browser, address: str, signed_in: object, look: Look, job: Job
) -> Iterator[Path]:
    look.folder.mkdir(parents=True, exist_ok=True)
    for name, show in PAGES.items():
        with browser.new_context(
            base_url=address,
            viewport=SIZE,
            locale=look.language,
            color_scheme=look.scheme,
            storage_state=signed_in,
        ) as context:
            page = context.new_page()
            show(page, job)
            yield _save(page, look.folder / f"{name}{look.suffix}.png")


def _save(page: Page, path: Path) -> Path:
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.screenshot(path=path, animations="disabled")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path.name} is larger than {MOST_BYTES} bytes.")
    return path


def session_list(page: Page, job: Job) -> None:
    page.goto(reverse("admin:upload_uploadsession_changelist"))


def session_page(page: Page, job: Job) -> None:
    session = UploadSession.objects.get(submission__accession_number="2026-001")
    page.goto(reverse("admin:upload_uploadsession_change", args=[session.pk]))


def copy_preview(page: Page, job: Job) -> None:
    session_list(page, job)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("copy_sessions")
    page.locator("button[name=index]").click()
    page.locator("select[name=destination]").select_option(index=1)


def job_progress(page: Page, job: Job) -> None:
    page.goto(reverse("admin:upload_job_change", args=[job.pk]))


def upload_page(page: Page, job: Job) -> None:
    sessions = UploadSession.objects.filter(status=SessionStatus.UPLOADING)
    session = sessions.get(in_progress_submission__title__startswith="Minutes")
    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    page.locator("#upload-list li").first.wait_for()
    steps.send(page, {"Harbour, west pier.png": samples.png(), "Setup.exe": b"MZ"})


PAGES: dict[str, Callable[[Page, Job], None]] = {
    "session-list": session_list,
    "session-page": session_page,
    "copy-preview": copy_preview,
    "job-progress": job_progress,
    "upload-page": upload_page,
}
