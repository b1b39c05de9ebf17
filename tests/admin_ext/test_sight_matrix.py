"""Role x what is seen x channel: files, pages, exports and the second person's word.

What each must answer is the tables' of ``tests.admin_ext.matrix``.
"""

from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django_q.models import Failure, OrmQ, Schedule, Success

from portal.models import User
from tests.admin_ext.matrix import (
    DENIED,
    HIDDEN,
    ROLES,
    YES,
    for_staff,
    people,
    promised,
    without_sight,
)
from tests.admin_ext.pages import admin_url
from tests.make import make_session, set_status
from tests.people import ClientFor
from upload import jobs
from upload.errors import NotPermitted
from upload.models import (
    AccessLog,
    Destination,
    FileCopy,
    Job,
    LegalHold,
    RemovalCertificate,
    SessionEvent,
    UploadSession,
    WorkerBeat,
)
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db
EVIDENCE = [AccessLog, FileCopy, LegalHold, RemovalCertificate, SessionEvent]
QUEUE = [Schedule, Success, Failure, OrmQ, WorkerBeat]
FORMATS = {"format": "0", "resource": "0"}


@pytest.fixture
def persons(db: None) -> dict[str, Any]:
    return people()


@pytest.fixture
def asked(persons: dict[str, Any], client_for: ClientFor) -> Any:
    """Return a function that gives what each role is answered at an address."""

    def answers(url: str, method: str = "get", **data: Any) -> dict[str, str]:
        return {
            role: word(getattr(client_for(person), method)(url, data))
            for role, person in persons.items()
        }

    return answers


def word(response: Any) -> str:
    """Return the answer; senders are asked to sign in as staff."""
    b"".join(response)  # reading to the end closes the file
    if response.status_code == 302 and "login" in response["Location"]:
        return DENIED
    return YES if response.status_code == 200 else str(response.status_code)


@pytest.mark.parametrize("state", [S.UPLOADING, S.COPYING_IN_PROGRESS, S.STORED])
def test_the_endpoint_shows_a_session_as_the_table_says(
    asked: Any, persons: dict[str, Any], state: SessionStatus
) -> None:
    session = make_session(state, user=persons["owner"])

    assert asked(reverse("upload:files", args=[session.uuid])) == promised("view")


@pytest.mark.parametrize("page", ["changelist", "change"])
def test_the_admin_shows_sessions_as_the_table_says(
    asked: Any, persons: dict[str, Any], page: str
) -> None:
    session = make_session(user=persons["owner"])
    url = admin_url(UploadSession, page, *([session.pk] if page == "change" else []))

    assert asked(url) == without_sight(for_staff(promised("view")))


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (S.UPLOADING, "temporary file"),
        (S.COPYING_IN_PROGRESS, "temporary file"),
        (S.COPYING_FAILED, "temporary file"),
        (S.REMOVING_IN_PROGRESS, "temporary file"),
        (S.STORED, "permanent file"),
    ],
)
@pytest.mark.parametrize("door", ["get_file_access_url", "get_file_media_url"])
def test_the_files_open_as_the_table_says(
    asked: Any,
    persons: dict[str, Any],
    state: SessionStatus,
    what: str,
    door: str,
) -> None:
    session = make_session(state, {"a.txt": b"alpha"}, persons["owner"])
    file: Any = session.tempuploadedfile_set.first()
    file = file or session.permuploadedfile_set.first()

    assert asked(getattr(file, door)()) == promised(what)
    assert asked(getattr(file, door)(), "head") == promised(what)


@pytest.mark.parametrize("door", ["get_file_access_url", "get_file_media_url"])
def test_nobody_opens_a_file_of_an_expired_session(
    asked: Any, persons: dict[str, Any], door: str
) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"}, persons["owner"])
    file: Any = session.tempuploadedfile_set.get()
    set_status(session, S.EXPIRED)

    assert asked(getattr(file, door)()) == dict.fromkeys(ROLES, HIDDEN)


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (UploadSession, "export"),
        (AccessLog, "export"),
        (SessionEvent, "export events"),
    ],
)
def test_the_exports_are_given_as_the_table_says(
    asked: Any, model: Any, what: str
) -> None:
    url = admin_url(model, "export")

    assert asked(url) == promised(what)
    assert asked(url, "post", **FORMATS) == promised(what)


@pytest.mark.parametrize("model", EVIDENCE)
def test_the_evidence_is_shown_as_the_table_says(asked: Any, model: Any) -> None:
    assert asked(admin_url(model, "changelist")) == promised("evidence")


@pytest.mark.parametrize("model", QUEUE)
def test_the_queue_is_shown_as_the_table_says(asked: Any, model: Any) -> None:
    assert asked(admin_url(model, "changelist")) == promised("queue")


@pytest.mark.parametrize("model", [*EVIDENCE, *QUEUE, Job])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_adds_evidence_or_tasks(asked: Any, model: Any, method: str) -> None:
    answers = asked(admin_url(model, "add"), method)

    assert answers == dict.fromkeys(ROLES, DENIED)


@pytest.mark.parametrize(
    ("page", "what"), [("changelist", "destinations"), ("add", "set destinations")]
)
def test_destinations_are_kept_as_the_table_says(
    asked: Any, page: str, what: str
) -> None:
    assert asked(admin_url(Destination, page)) == promised(what)


@pytest.mark.parametrize("page", ["changelist", "add"])
def test_people_are_kept_as_the_table_says(asked: Any, page: str) -> None:
    assert asked(admin_url(User, page)) == promised("people")


@pytest.fixture
def removal(persons: dict[str, Any]) -> Job:
    """The removal of stored files that the clerk asked for."""
    session = make_session(S.STORED, user=persons["owner"])
    return jobs.request(session, JobKind.REMOVE, persons["clerk"], reason="Twice")


@pytest.mark.parametrize("deed", [jobs.approve, jobs.decline])
def test_the_second_person_is_as_the_table_says(
    persons: dict[str, Any], removal: Job, deed: Any
) -> None:
    def answer(person: Any) -> str:
        with transaction.atomic():
            try:
                deed(Job.objects.get(pk=removal.pk), person, "Seen")
            except NotPermitted:
                return DENIED
            transaction.set_rollback(True)
            return YES

    answers = {role: answer(person) for role, person in persons.items()}

    assert answers == promised("approve")


@pytest.mark.parametrize("verdict", ["approve", "decline"])
@pytest.mark.parametrize("role", ROLES)
def test_a_removal_is_decided_on_its_page_as_the_table_says(
    as_role: Any, removal: Job, role: str, verdict: str
) -> None:
    url = reverse("admin:upload_job_ask", args=[removal.pk, verdict])

    as_role(role).post(url, {"reason": "Seen"})

    assert is_decided(removal) is (promised("approve")[role] == YES)


@pytest.mark.parametrize("verdict", ["approve", "decline"])
@pytest.mark.parametrize("role", ROLES)
def test_a_removal_is_decided_in_the_list_as_the_table_says(
    as_role: Any, removal: Job, role: str, verdict: str
) -> None:
    data = {"job": removal.pk, verdict: "1", "reason": "Seen"}

    as_role(role).post(reverse("admin:upload_job_approvals"), data)

    assert is_decided(removal) is (promised("approve")[role] == YES)


@pytest.fixture
def as_role(persons: dict[str, Any], client_for: ClientFor) -> Any:
    return lambda role: client_for(persons[role])


def is_decided(removal: Job) -> bool:
    removal.refresh_from_db()
    return removal.state != JobState.AWAITING_APPROVAL


@pytest.mark.parametrize("role", ["manager", "superuser"])
def test_nobody_decides_on_what_they_asked_for(
    persons: dict[str, Any], removal: Job, role: str
) -> None:
    Job.objects.filter(pk=removal.pk).update(requester=persons[role])
    removal.refresh_from_db()

    with pytest.raises(NotPermitted):
        jobs.approve(removal, persons[role])
