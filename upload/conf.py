"""The settings of the core, read at call time and never at import.

A number of -1 switches its feature off and is returned here as ``None``.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

MOST_DELAYS = 40
BYTES_PER_MB = 1_000_000


def _switchable(value: int) -> int | None:
    return None if value == -1 else value


def max_concurrent_open() -> int | None:
    """Return how many open sessions a user may have."""
    return _switchable(settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN)


def expire_after() -> timedelta | None:
    """Return how long a session may stay without interaction."""
    minutes = _switchable(settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES)
    return None if minutes is None else timedelta(minutes=minutes)


def expiring_reminder_minutes() -> int | None:
    """Return how long before its expiry a session counts as expiring soon."""
    return _switchable(settings.UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES)


def email_host() -> str:
    """Return the mail server, or ``""`` where no mail can be sent."""
    return str(settings.EMAIL_HOST)


def portal_url() -> str:
    """Return the portal's address for links in mails, without a slash at its end."""
    return str(settings.PORTAL_URL).rstrip("/")


def file_upload_enabled() -> bool:
    return bool(settings.FILE_UPLOAD_ENABLED)


def accept_empty_files() -> bool:
    return bool(settings.ACCEPT_EMPTY_FILES)


def accepted_file_formats() -> dict[str, list[str]]:
    """Return extensions without dots by group, for example ``{"PDF": ["pdf"]}``."""
    return dict(settings.ACCEPTED_FILE_FORMATS)


def max_single_size_bytes() -> int:
    return int(settings.MAX_SINGLE_UPLOAD_SIZE_MB) * BYTES_PER_MB


def max_total_size_bytes() -> int:
    return int(settings.MAX_TOTAL_UPLOAD_SIZE_MB) * BYTES_PER_MB


def max_total_count() -> int:
    return int(settings.MAX_TOTAL_UPLOAD_COUNT)


def clamd_address() -> str:
    """Return ``unix:/path`` or ``host:port`` of the malware scanner; empty: none."""
    return str(settings.CLAMD_ADDRESS)


def clamd_timeout_seconds() -> int:
    """Return how long the scan of one file may take."""
    return int(settings.CLAMD_TIMEOUT_SECONDS)


def clamd_max_scan_bytes() -> int:
    """Return up to which size clamd surely reads a file to its end."""
    return int(settings.CLAMD_MAX_SCAN_MB) * BYTES_PER_MB


def keep_expired() -> timedelta:
    """Return how long the row of an expired session is kept for people to see."""
    return timedelta(days=settings.DELETE_EXPIRED_AFTER_DAYS)


def orphan_grace() -> timedelta:
    """Return the age below which bytes without a row are left alone."""
    return timedelta(hours=settings.ORPHAN_GRACE_HOURS)


def unfinished_expire_after() -> timedelta:
    """Return how long an unfinished upload waits for its next bytes."""
    return timedelta(hours=settings.UNFINISHED_UPLOAD_HOURS)


def worker_stop_file() -> Path | None:
    """Return the file that asks running jobs to stop while it exists.

    Only the portal has one; ``queued_storage`` runs in other projects as well.
    """
    path = getattr(settings, "WORKER_STOP_FILE", "")
    return Path(path) if path else None


def removal_needs_approval() -> bool:
    return bool(settings.REMOVAL_NEEDS_APPROVAL)


def uploaders_may_download_stored() -> bool:
    """Return whether owners without the permission may open their stored files."""
    return bool(settings.UPLOADERS_MAY_DOWNLOAD_STORED)


def fixity_check_every() -> timedelta | None:
    """Return within which time every stored file is read again."""
    days = _switchable(settings.FIXITY_CHECK_EVERY_DAYS)
    return None if days is None else timedelta(days=days)


def accel_redirect_prefix() -> str:
    """Return the internal location nginx serves our storages from, or ``""``."""
    return str(settings.ACCEL_REDIRECT_PREFIX).rstrip("/")


def staff_site() -> str:
    """Return the dotted path of the site whose frame staff pages get, or ``""``."""
    return str(settings.STAFF_SITE)


def organisation_name() -> str:
    """Return who hands the bags over, for their ``Source-Organization``."""
    return str(settings.ORGANISATION_NAME)


def destination_roots() -> list[Path]:
    """Return the folders below which a destination's folder must lie."""
    return [Path(root) for root in settings.DESTINATION_ROOTS]


def destinations() -> dict[str, dict[str, Any]]:
    """Return ``{"BACKEND": …, "OPTIONS": {…}}`` by alias; options may be secrets."""
    return dict(settings.DESTINATIONS)


def job_lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def job_sweep_seconds() -> int:
    return int(settings.JOB_SWEEP_SECONDS)


def worker_silence_seconds() -> int:
    """Return how long a queue's workers may take no heartbeat task."""
    return int(settings.WORKER_SILENCE_SECONDS)


def job_max_attempts() -> int:
    return int(settings.JOB_MAX_ATTEMPTS)


def job_retry_delay(attempts: int) -> timedelta:
    """Return the wait before the next attempt: doubling, at most 40 times the first."""
    factor = min(2 ** max(attempts - 1, 0), MOST_DELAYS)
    return timedelta(seconds=settings.JOB_RETRY_DELAY_SECONDS * factor)


def job_longest_wait() -> timedelta:
    """Return how far ahead a job's next run can lie; a lease more for other clocks."""
    return timedelta(seconds=settings.JOB_RETRY_DELAY_SECONDS * MOST_DELAYS) + (
        job_lease()
    )
