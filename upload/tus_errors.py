"""What a piece of a resumable upload is refused for; see ``errors``."""

from upload.errors import MunimentError
from upload.wording import gettext as _


class UploadLocked(MunimentError):
    """Another request is writing to the same resumable upload."""

    code = "upload_locked"


class OffsetConflict(MunimentError, ValueError):
    """A piece does not begin where the last one ended; ``true`` is where."""

    code = "offset_conflict"

    def __init__(self, asked: int, true: int) -> None:
        self.asked, self.true = asked, true
        super().__init__(
            _("The piece begins at %(asked)d, but %(true)d bytes are here.")
            % {"asked": asked, "true": true}
        )


class ChecksumMismatch(MunimentError, ValueError):
    """A piece of an upload is not what its checksum says."""

    code = "checksum_mismatch"


class ProtocolRefused(MunimentError, ValueError):
    """A request does not speak tus 1.0 as it is spoken here."""

    code = "tus_refused"

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)
