"""Reminders before a session expires: to whom, when, once, and after a failure."""

from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from portal.models import User
from tests.make import aged, make_session, set_status
from upload import reminders
from upload.models import Submission, UploadSession
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db
# Of 1440 minutes, the last 480 are the time to remind.
SOON, EARLY, OVER = 1000, 900, 1500


@pytest.fixture(autouse=True)
def mail_server(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    settings.PORTAL_URL = "https://records.example.org/"
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 1440
    settings.UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES = 480


@pytest.fixture
def owner(uploader: User) -> User:
    uploader.email = "ada@example.org"
    uploader.save()
    return uploader


def remind() -> tuple[int, int]:
    return reminders.remind_due(UploadSession.objects.all())


def old(owner: Any, minutes: int = SOON, status: S = S.UPLOADING) -> UploadSession:
    return aged(make_session(status, user=owner), minutes)


def test_an_owner_is_reminded_with_a_link_and_an_event(owner: User) -> None:
    session = old(owner)

    assert remind() == (1, 0)
    (letter,) = mail.outbox
    assert letter.to == ["ada@example.org"]
    page = f"https://records.example.org/upload/{session.uuid}/"
    assert page in letter.body
    assert session.token not in letter.body
    assert session.event_set.filter(code="upload.session.reminded").exists()


def test_the_letter_is_in_the_owners_language(owner: User) -> None:
    owner.language = "fr"
    owner.save()
    old(owner)

    remind()

    assert "expire bientôt" in mail.outbox[0].subject


def test_one_silence_has_one_reminder(owner: User) -> None:
    old(owner)

    assert [remind(), remind()] == [(1, 0), (0, 0)]
    assert len(mail.outbox) == 1


def test_a_new_silence_has_a_new_reminder(owner: User) -> None:
    session = old(owner)
    UploadSession.objects.update(
        reminded_at=session.last_upload_interaction_time - reminders.timedelta(days=1)
    )

    assert remind() == (1, 0)


@pytest.mark.parametrize("minutes", [EARLY, OVER])
def test_it_is_neither_too_early_nor_too_late(owner: User, minutes: int) -> None:
    old(owner, minutes)

    assert remind() == (0, 0)


@pytest.mark.parametrize("status", [S.STORED, S.COPYING_FAILED, S.EXPIRED])
def test_what_does_not_expire_is_not_told_of(owner: User, status: S) -> None:
    set_status(old(owner), status)

    assert remind() == (0, 0)


def test_what_was_submitted_is_not_told_of(owner: User) -> None:
    Submission.objects.create(title="A", upload_session=old(owner))

    assert remind() == (0, 0)


@pytest.mark.parametrize(
    "values", [{"email": ""}, {"is_active": False}], ids=["no address", "gone"]
)
def test_who_cannot_be_reached_gets_nothing(owner: User, values: Any) -> None:
    old(owner)
    User.objects.filter(pk=owner.pk).update(**values)

    assert remind() == (0, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES", -1), ("EMAIL_HOST", "")],
)
def test_reminders_can_be_switched_off(
    owner: User, settings: Any, name: str, value: Any
) -> None:
    old(owner)
    setattr(settings, name, value)

    assert remind() == (0, 0)


def test_a_letter_that_could_not_be_sent_is_sent_by_the_next_run(
    owner: User, settings: Any
) -> None:
    old(owner)
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    failed = remind()
    settings.EMAIL_BACKEND = working

    assert (failed, remind()) == ((0, 1), (1, 0))


def test_the_command_lists_sends_and_fails_loudly(
    owner: User, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    session = old(owner)

    call_command("remind_expiring", "--dry-run")
    assert f"Session {session.uuid} would be reminded." in capsys.readouterr().out
    assert mail.outbox == []
    call_command("remind_expiring")
    assert "1 reminded, 0 failed." in capsys.readouterr().out
    UploadSession.objects.update(reminded_at=None)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(CommandError, match="could not be reminded"):
        call_command("remind_expiring")


def test_the_page_tells_of_it(client_for: Any, owner: User) -> None:
    session = old(owner)

    for url in ("/upload/", f"/upload/{session.uuid}/"):
        assert "own-warning" in client_for(owner).get(url).content.decode()
