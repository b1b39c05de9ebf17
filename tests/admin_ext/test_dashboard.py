"""The front page: figures, charts, what needs somebody; who sees what; its cost."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.make import (
    aged,
    make_destination,
    make_job,
    make_session,
    make_user,
    set_status,
)
from upload import jobs, rollups
from upload.models import (
    Destination,
    Job,
    PermUploadedFile,
    Rollup,
    Submission,
    UploadSession,
)
from upload.states import JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db
S = SessionStatus
FRONT = "/admin/"
MOST_QUERIES = 20


def front(client: Any, query: str = "") -> Any:
    response = client.get(f"{FRONT}?{query}")
    assert response.status_code == 200
    return response


def needs(response: Any) -> dict[str, list[Any]]:
    return {group.title: group.needs for group in response.context["groups"]}


def test_each_card_counts_what_its_link_lists(clerk: Any, client_for: Any) -> None:
    make_session(), make_session(S.UPLOADING), make_session(S.STORED)
    set_status(make_session(S.UPLOADING), S.COPYING_FAILED)
    aged(make_session(S.UPLOADING), 1300)
    client = client_for(clerk)

    cards = front(client).context["cards"]

    assert [card.number for card in cards] == ["3", "1", "0", "1", "1"]
    for card in cards:
        listed = client.get(card.url).context["cl"].result_count
        assert str(listed) == card.number


def test_the_chart_has_a_bar_for_each_day(clerk: Any, client_for: Any) -> None:
    make_session(S.UPLOADING, {"a.txt": b"x" * 1000})

    sessions, sizes = front(client_for(clerk), "days=7").context["charts"]

    assert len(sessions.bars) == len(sizes.bars) == 7
    assert [bar.height for bar in sessions.bars] == [0] * 6 + [100]
    assert "1" in sessions.rows[0][1] and "1.00" in sizes.rows[0][1]


@pytest.mark.parametrize("days", ["8", "-1", "junk", "9999999999"])
def test_another_number_of_days_shows_thirty(
    clerk: Any, client_for: Any, days: str
) -> None:
    assert len(front(client_for(clerk), f"days={days}").context["charts"][0].bars) == 30


def test_a_removal_that_waits_offers_its_review_to_who_may_approve(
    clerk: Any, manager: Any, client_for: Any
) -> None:
    job = jobs.request(make_session(S.STORED), JobKind.REMOVE, clerk, reason="Twice")

    (asked,) = needs(front(client_for(clerk)))["Removals waiting for approval"]
    (seen,) = needs(front(client_for(manager)))["Removals waiting for approval"]

    assert asked.action == "" and asked.minor == "Twice"
    assert seen.action == "Review"
    assert seen.action_url == reverse("admin:upload_job_change", args=[job.pk])


def test_a_failed_job_offers_its_retry_until_another_job_follows(
    clerk: Any, client_for: Any
) -> None:
    session = make_session(S.UPLOADING)
    make_job(session, JobKind.STORE, state=JobState.FAILED, error="Disk full")
    client = client_for(clerk)

    (need,) = needs(front(client))["Failed jobs"]
    make_job(session, JobKind.STORE, state=JobState.SUCCEEDED)

    assert (need.action, need.minor) == ("Retry", "Disk full")
    assert "Failed jobs" not in needs(front(client))


def test_a_session_that_expires_soon_offers_what_the_person_may_do(
    clerk: Any, auditor: Any, client_for: Any
) -> None:
    aged(make_session(S.UPLOADING), 1300)

    (mine,) = needs(front(client_for(clerk)))["Sessions that expire soon"]
    (read,) = needs(front(client_for(auditor)))["Sessions that expire soon"]

    assert mine.action == "Store" and "/do/store/" in mine.action_url
    assert read.action == ""


def test_a_damaged_file_offers_another_check(clerk: Any, client_for: Any) -> None:
    session = make_session(S.STORED, {"a.txt": b"alpha"})
    Submission.objects.create(title="Fonds", upload_session=session)
    PermUploadedFile.objects.update(fixity_failed_at=timezone.now())

    (need,) = needs(front(client_for(clerk)))["Damaged or missing files"]

    assert (need.text, need.title) == ("a.txt", "Fonds")
    assert "/do/verify/" in need.action_url


def test_destinations_that_failed_or_were_not_probed_are_told(
    superuser: Any, auditor: Any, clerk: Any, client_for: Any, storages_in_tmp: Path
) -> None:
    place = make_destination(storages_in_tmp / "destinations" / "a")
    client = client_for(superuser)

    assert needs(front(client))["Destinations to look at"][0].action == "Probe"
    (read,) = needs(front(client_for(auditor)))["Destinations to look at"]
    assert read.action == ""
    assert "Destinations to look at" not in needs(front(client_for(clerk)))
    good = {"last_probed_at": timezone.now(), "last_probe": {"ok": True}}
    Destination.objects.filter(pk=place.pk).update(**good)
    assert "Destinations to look at" not in needs(front(client))


def test_running_jobs_show_bars_that_renew_themselves(
    clerk: Any, client_for: Any
) -> None:
    session = make_session(S.UPLOADING)
    Submission.objects.create(title="Fonds", upload_session=session)
    job = make_job(session, JobKind.STORE, state=JobState.RUNNING)

    page = front(client_for(clerk)).content.decode()

    assert reverse("admin:upload_job_progress", args=[job.pk]) in page
    assert "<bdi>Fonds</bdi>" in page


def test_staff_without_rights_see_no_figures(nobody: Any, client_for: Any) -> None:
    session = make_session(S.STORED)

    response = front(client_for(nobody))

    assert "cards" not in response.context
    assert response.context["running"] is None
    assert str(session.uuid)[:8] not in response.content.decode()


def test_figures_are_of_the_sessions_that_one_may_see() -> None:
    ada = make_user("ada")
    make_session(user=ada), make_session(S.STORED)
    mine = UploadSession.objects.filter(user=ada)

    figures = rollups.sessions(mine, everything=False)

    assert figures.of().sessions == 1


def test_a_large_portal_shows_what_the_schedule_counted(monkeypatch: Any) -> None:
    monkeypatch.setattr(rollups, "COUNTED_AT_ONCE", 1)
    make_session(), make_session()
    rollups.refresh()
    make_session()

    figures = rollups.sessions(UploadSession.objects.all(), everything=True)

    assert figures.of([S.CREATED]).sessions == 2
    assert figures.counted_at == Rollup.objects.get(name="sessions").counted_at


def test_each_storage_is_told_what_it_holds(clerk: Any, client_for: Any) -> None:
    make_session(S.UPLOADING, {"a.txt": b"x" * 10})
    make_session(S.STORED, {"b.txt": b"x" * 7})
    rollups.refresh()

    rows = front(client_for(clerk)).context["uses"]["rows"]

    held = [(name, use.files, use.size_bytes) for name, use in rows]
    assert held == [("Temporary storage", 1, 10), ("Permanent storage", 1, 7)]


def test_the_page_takes_as_many_queries_for_many_as_for_few(
    superuser: Any, client_for: Any
) -> None:
    client = client_for(superuser)

    def queries(count: int) -> int:
        for _number in range(count):
            session = aged(make_session(S.UPLOADING), 1300)
            make_job(session, JobKind.STORE, state=JobState.FAILED)
        with CaptureQueriesContext(connection) as found:
            front(client)
        return len(found)

    assert queries(2) == queries(8) <= MOST_QUERIES
    assert Job.objects.count() == 10


def test_a_long_reason_is_cut_where_one_sees_it(clerk: Any, client_for: Any) -> None:
    session = make_session(S.COPYING_FAILED)
    values = {"state": JobState.FAILED, "finished_at": timezone.now()}
    make_job(session, JobKind.STORE, error="x" * 300, **values)

    (need,) = needs(front(client_for(clerk)))["Failed jobs"]

    assert need.minor == "x" * 199 + "…"
