"""The upload handler that leaves a request's body unread.

Django's CSRF check looks into ``request.POST`` and so would read the whole body before
anybody is known to have sent it. With this handler it finds an empty form and goes by
the header alone; ``upload.multipart`` then reads the body as it comes.
"""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict


class LeaveUnread(FileUploadHandler):
    """Says that a multipart body is empty, without touching it."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> Any:
        return QueryDict(), MultiValueDict()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None

    def file_complete(self, file_size: int) -> Any:
        return None
