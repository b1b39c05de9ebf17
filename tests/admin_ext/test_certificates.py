"""What stays of removed files: a certificate that nothing changes or deletes."""

import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, models
from django.utils import timezone

from tests.admin_ext.pages import admin_url
from tests.make import make_session, run
from upload import certificates, expiry, jobs
from upload.models import Job, RemovalCertificate, RemovedFile, Submission
from upload.states import JobKind, SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def certificate(clerk: Any, manager: Any) -> RemovalCertificate:
    session = make_session(S.STORED, files={"ü<b>.txt": b"alpha", "b.pdf": b"%PDF-1"})
    session.permuploadedfile_set.filter(name="b.pdf").update(relative_path="1901/b.pdf")
    Submission.objects.create(title="Fonds", upload_session=session)
    job = jobs.request(session, JobKind.REMOVE, clerk, reason="Sent twice")
    jobs.approve(job, manager)
    run(job)
    return RemovalCertificate.objects.get()


def page_of(certificate: RemovalCertificate, name: str = "change") -> str:
    return admin_url(RemovalCertificate, name, certificate.pk)


def test_it_says_what_was_removed_who_asked_who_approved_and_why(
    certificate: RemovalCertificate,
) -> None:
    told = (certificate.requested_by, certificate.approved_by, certificate.reason)
    files = {f.name: f.sha256 for f in certificates.files_of(certificate)}

    assert told == ("clerk", "manager", "Sent twice")
    assert certificate.submissions == ["Fonds"] and certificate.complete
    assert (certificate.files, certificate.size_bytes) == (2, 11)
    assert files["ü<b>.txt"] == hashlib.sha256(b"alpha").hexdigest()


def test_it_outlives_the_session_the_job_and_the_people(
    certificate: RemovalCertificate, clerk: Any, manager: Any
) -> None:
    Submission.objects.all().delete()
    session = certificate.session
    session.expire()
    expiry.purge(session)
    session.delete()
    clerk.delete()
    manager.delete()

    kept = RemovalCertificate.objects.get()

    assert (kept.session, kept.requested_by, kept.files) == (None, "clerk", 2)
    assert certificates.verify(kept)


def test_nothing_changes_or_deletes_it(certificate: RemovalCertificate) -> None:
    file = RemovedFile.objects.first()
    certificate.reason = "x"

    for deed in (
        certificate.save,
        certificate.delete,
        file.save,
        file.delete,
        RemovalCertificate.objects.all().delete,
        lambda: RemovedFile.objects.update(name="x"),
    ):
        with pytest.raises(TypeError):
            deed()


def test_a_changed_list_is_found_by_its_digest(certificate: RemovalCertificate) -> None:
    RemovedFile.objects.filter(name="b.pdf")._raw_delete("default")

    assert not certificates.verify(certificate)


def test_a_certificate_from_before_there_were_paths_still_is_true(
    certificate: RemovalCertificate,
) -> None:
    lines = [
        f"{f.sha256}  {f.size_bytes}  {f.file_uuid}  {f.name}\n"
        for f in RemovedFile.objects.order_by("pk")
    ]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    models.QuerySet.update(RemovedFile.objects.all(), relative_path="")
    models.QuerySet.update(RemovalCertificate.objects.all(), digest=digest)
    certificate.refresh_from_db()

    assert certificates.verify(certificate)


def test_a_removal_without_a_second_person_is_certified_as_well() -> None:
    session = make_session(S.UPLOADING)

    session.remove_temp_uploads()

    kept = RemovalCertificate.objects.get()
    assert (kept.requested_by, kept.approved_by, kept.files) == ("", "", 2)


def test_a_failed_attempt_leaves_each_file_on_the_certificate_once(clerk: Any) -> None:
    job = jobs.request(make_session(S.UPLOADING), JobKind.REMOVE, clerk, reason="x")
    run(job)
    Job.objects.filter(pk=job.pk).update(state="queued")
    run(job)

    assert RemovedFile.objects.count() == 2


def test_the_json_holds_every_file_and_its_digest(
    certificate: RemovalCertificate, auditor: Any, client_for: Any
) -> None:
    answer = client_for(auditor).get(page_of(certificate, "json"))
    told = json.loads(answer.getvalue())

    lines = "".join(
        f"{f['sha256']}  {f['size_bytes']}  {f['uuid']}  {f['path']}\n"
        for f in told["removed"]
    )
    assert hashlib.sha256(lines.encode()).hexdigest() == told["list_sha256"]
    assert "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("name", ["change", "print"])
def test_a_page_of_it_names_the_files_as_text(
    certificate: RemovalCertificate, manager: Any, client_for: Any, name: str
) -> None:
    answer = client_for(manager).get(page_of(certificate, name))
    text = b"".join(answer) if answer.streaming else answer.content

    assert "ü&lt;b&gt;.txt" in text.decode() and "Sent twice" in text.decode()
    assert ">1901/b.pdf<" in text.decode()


@pytest.mark.parametrize("name", ["change", "json", "print"])
def test_who_may_not_view_certificates_sees_none(
    certificate: RemovalCertificate, nobody: Any, client_for: Any, name: str
) -> None:
    assert client_for(nobody).get(page_of(certificate, name)).status_code == 403


def test_the_list_opens(
    certificate: RemovalCertificate, auditor: Any, client_for: Any
) -> None:
    url = admin_url(RemovalCertificate, "changelist")

    page = client_for(auditor).get(url, {"q": "clerk"})

    assert str(certificate.uuid)[:8] in page.content.decode()


def test_a_worker_of_the_version_before_may_note_what_it_removed() -> None:
    names = (
        *("job_uuid", "file_uuid", "name", "size_bytes", "sha256", "was_stored"),
        "removed_at",
    )
    values = [uuid4().hex, uuid4().hex, "a.txt", 1, "", True, timezone.now()]
    sql = f"INSERT INTO upload_removedfile ({', '.join(names)}) VALUES "  # noqa: S608

    with connection.cursor() as cursor:
        cursor.execute(f"{sql} (%s, %s, %s, %s, %s, %s, %s)", values)

    assert RemovedFile.objects.get(name="a.txt").path == "a.txt"
