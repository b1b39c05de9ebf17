"""Texts that are told again in another language, and what of them stays as it is."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy, pgettext_lazy

from tests.make import make_destination, make_session, run
from tests.upload.ordering import ordered, ran
from upload import holding, jobs, wording
from upload.errors import DigestMismatch, MunimentError
from upload.models import BulkItem, Destination, Job, JobItem
from upload.probe import probe
from upload.states import JobKind, JobState, OrderOutcome, OrderVerb
from upload.states import SessionStatus as S
from upload.wording import noted

GONE = "its bytes are not those received"


def in_japanese(made: Any) -> str:
    """Return the text as told from what a row keeps, that is from JSON."""
    with translation.override("ja"):
        return str(wording.told_again(json.loads(json.dumps(made))))


def translated(msgid: str) -> str:
    with translation.override("ja"):
        return translation.gettext(msgid)


def test_a_text_reads_like_any_other() -> None:
    told = wording.gettext("Destination “%(name)s” is not enabled. Choose another.")

    assert told % {"name": "Box"} == "Destination “Box” is not enabled. Choose another."


def test_a_text_is_told_again_with_its_values() -> None:
    told = wording.gettext("Destination “%(name)s” is not enabled. Choose another.")

    again = in_japanese(wording.kept_of(told % {"name": "Box"}))

    assert "Box" in again and again == translated(told) % {"name": "Box"}


def test_a_text_within_a_text_is_told_again() -> None:
    whole = wording.gettext("Given up after %(count)d attempts: %(reason)s")
    told = whole % {"count": 5, "reason": wording.gettext(GONE)}

    assert translated(GONE) in in_japanese(wording.kept_of(told))


def test_a_label_within_a_text_is_told_again() -> None:
    whole = wording.gettext("become “%(target)s”")
    told = whole % {"target": gettext_lazy("Stored")}

    assert translated("Stored") in in_japanese(wording.kept_of(told))


OF_A_FILE = ("a file", "Remove")


def of_a_file() -> str:
    with translation.override("ja"):
        return translation.pgettext(*OF_A_FILE)


def test_a_text_with_a_context_is_told_again_with_it() -> None:
    told = wording.pgettext(*OF_A_FILE)

    assert told == "Remove"
    assert in_japanese(wording.kept_of(told)) == of_a_file() != translated("Remove")


def test_a_label_with_a_context_is_told_again_with_it() -> None:
    told = wording.label(pgettext_lazy(*OF_A_FILE))

    assert in_japanese(wording.kept_of(told)) == of_a_file()


def test_a_text_that_lost_its_full_stop_loses_it_in_each_language() -> None:
    told = wording.bare(
        wording.gettext("It does not exist any more, or is not for you to see.")
    )

    again = in_japanese(wording.kept_of(told))

    assert not told.endswith(".") and not again.endswith(("。", "."))


def test_a_number_chooses_the_form_of_each_language() -> None:
    forms = ("%(count)d file could not be read", "%(count)d files could not be read")

    told = [wording.ngettext(*forms, n) % {"count": n} for n in (1, 2)]

    assert [str(text) for text in told] == [
        "1 file could not be read",
        "2 files could not be read",
    ]
    assert wording.told_again(wording.kept_of(told[1])) == told[1]


def test_an_error_keeps_what_its_message_was_made_of() -> None:
    error = DigestMismatch("a.txt", (5, "aa"), (4, "bb"))

    kept = noted(error)

    assert kept["error"] == str(error)
    assert "a.txt" in in_japanese(kept["error_told"])
    assert in_japanese(kept["error_told"]) != str(error)


def test_what_others_wrote_stays_as_it_is() -> None:
    assert noted(OSError(28, "No space left on device"))["error_told"] is None
    assert noted(MunimentError("plain"))["error_told"] is None


def test_a_copy_of_a_text_is_made_of_the_same() -> None:
    told = wording.gettext(GONE)

    assert copy.copy(told).made_of == told.made_of


@pytest.mark.django_db
def test_a_failed_job_tells_its_reason_to_each_reader(tmp_path: Path) -> None:
    session = make_session(S.STORED)
    place = make_destination(tmp_path / "destinations" / "one", "Box")
    job = jobs.request(session, JobKind.COPY, None, destination=place)
    type(place).objects.update(enabled=False)

    run(job)

    kept = Job.objects.get(pk=job.pk)
    assert kept.error == "Destination “Box” is not enabled. Choose another."
    with translation.override("ja"):
        assert kept.error_shown != kept.error and "Box" in kept.error_shown


@pytest.mark.django_db(transaction=True)
def test_the_files_of_a_failed_job_tell_their_reasons_to_each_reader() -> None:
    session = make_session(S.STORED)
    job = session.job_set.get(kind=JobKind.VERIFY)
    file = session.permuploadedfile_set.get(name="a.txt")
    path = Path(file.file_upload.path)
    path.chmod(0o600)
    path.write_bytes(b"alphb")

    run(job)

    item = JobItem.objects.get(job=job, name="a.txt")
    assert (job.state, item.error) == (JobState.FAILED, GONE)
    with translation.override("ja"):
        assert item.error_shown == translated(GONE)
        assert f"“a.txt” ({translated(GONE)})" in job.error_shown


@pytest.mark.django_db
def test_the_sessions_of_a_bulk_order_tell_their_reasons_to_each_reader(
    manager: Any,
) -> None:
    session = make_session(S.STORED)
    holding.place(session, manager, "Court case")
    order = ordered(OrderVerb.LIFT, manager)
    holding.lift_all(session, manager, "Over")

    ran(order)

    item = BulkItem.objects.get(order=order)
    assert item.outcome == OrderOutcome.SKIPPED
    assert "“under no hold”" in item.reason
    with translation.override("ja"):
        assert translated("under no hold") in item.reason_shown
        assert "under no hold" not in item.reason_shown


@pytest.mark.django_db
def test_sessions_that_an_order_left_tell_its_error_to_each_reader(clerk: Any) -> None:
    make_session(S.UPLOADING)
    order = ordered(OrderVerb.EXPIRE, clerk)
    clerk.user_permissions.clear(), clerk.groups.clear()

    ran(order)

    item = BulkItem.objects.get(order=order)
    assert (item.outcome, item.reason) == (OrderOutcome.LEFT, order.error)
    with translation.override("ja"):
        assert item.reason_shown == order.error_shown != order.error


@pytest.mark.django_db
def test_a_probe_tells_what_it_found_to_each_reader(tmp_path: Path) -> None:
    place = make_destination(tmp_path / "destinations" / "one", "Box")
    shutil.rmtree(place.folder)

    probe(place)

    kept = Destination.objects.get(pk=place.pk)
    missing = "The destination %(root)s is missing. Create or mount it, then try again."
    assert kept.probe_error_shown == missing % {"root": place.folder}
    with translation.override("ja"):
        assert kept.probe_error_shown == translated(missing) % {"root": place.folder}


@pytest.mark.django_db
def test_an_adapter_that_breaks_is_told_to_each_reader(settings: Any) -> None:
    settings.DESTINATIONS = {"box": {"BACKEND": "none.such.Storage"}}
    place = Destination(name="Box", alias="box")

    probe(place)

    with translation.override("ja"):
        assert place.probe_error_shown != place.last_probe["error"]


def test_a_probe_from_before_reads_as_it_was_written() -> None:
    place = Destination(last_probe={"ok": False, "error": "Old words"})

    assert (place.probe_error_shown, Destination().probe_error_shown) == (
        "Old words",
        "",
    )


@pytest.mark.django_db
def test_a_reason_from_before_reads_as_it_was_written() -> None:
    assert Job(error="Old words").error_shown == "Old words"


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"msgid": "%(name)s is gone.", "values": {"other": "a.txt"}},
        {"msgid": "%(count)d files", "values": {"count": "many"}},
        {"msgid": "files", "values": ["a.txt"]},
        {"msgid": ["files"]},
        {"parts": [{"bare": {}}], "between": ""},
    ],
)
def test_a_reason_that_cannot_be_told_again_reads_as_it_was_written(made: Any) -> None:
    assert Job(error="As it was", error_told=made).error_shown == "As it was"
