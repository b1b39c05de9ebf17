"""The report of a whole job as a file to download, streamed; each leaves a log line."""

import logging
from typing import Any

from django.http import StreamingHttpResponse

from upload import job_report
from upload.models import Job

logger = logging.getLogger(__name__)

FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def report(reader: Any, job: Job, form: str) -> StreamingHttpResponse:
    """Return the report in one of ``FORMS``; events only for who may see events.

    The caller has made sure that ``reader`` may see the job.
    """
    logger.info("upload.job.reported by %s: job %s, %s", reader.pk, job.uuid, form)
    if form == "csv":
        pieces = job_report.as_csv(job)
    else:
        events = reader.has_perm("upload.view_sessionevent")
        pieces = job_report.as_json(job, with_events=events)
    name = f'attachment; filename="job-{job.uuid}.{form}"'
    headers = {"Content-Disposition": name}
    return StreamingHttpResponse(pieces, content_type=FORMS[form], headers=headers)
