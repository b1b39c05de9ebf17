"""Ask an S3 server: its failures told apart, and those that may pass tried again.

An answer never shows a secret: of a refusal only its status and code are told.
"""

from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions as problems
from botocore.config import Config

from upload.copy_engine import CHUNK_BYTES, Beat
from upload.targets.base import missing, refused, unreachable
from upload.targets.patience import Patience
from upload.wording import gettext as _

# Waiting and trying again is ours, with heartbeats between; botocore's own would let
# the lease run out. Putting the parts of a long file together may take a while.
# Every byte is hashed by us, with SHA-256, so no weaker sum is asked of an answer; each
# part has its MD5 with it, so no CRC is reckoned as well.
CLIENT_CONFIG = Config(
    connect_timeout=10,
    read_timeout=40,
    retries={"total_max_attempts": 1},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
PASSING_CODES = {
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "OperationAborted",
    "RequestTimeout",
    "SlowDown",
    "XAmzContentSHA256Mismatch",
}
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
# Answers that callers ask for as None.
GONE = frozenset({404})
TAKEN = frozenset({412})
# A client is told once, whoever asks by it.
UNASKED, SUMMED = "muniment-at-once", "muniment-summed"
# What botocore raises where no whole answer came.
CUT_OFF = (
    problems.HTTPClientError,
    problems.ConnectionError,
    problems.IncompleteReadError,
    problems.ChecksumError,
)


def at_once(client: Any) -> Any:
    """Return the client, which from now on sends each body behind its header.

    botocore asks leave for each ("Expect: 100-continue"): a turn more for every part.
    Without TLS it also hashes each part once more before the first byte goes.
    """
    events = client.meta.events
    events.register_last("before-call.s3", _ask_no_leave, UNASKED)
    events.register_last("before-sign.s3", _sign_the_header_alone, SUMMED)
    return client


def _ask_no_leave(params: dict[str, Any], **more: Any) -> None:
    params["headers"].pop("Expect", None)


def _sign_the_header_alone(request: Any, **more: Any) -> None:
    """Leave the body to the MD5 in the signed header, as botocore does with TLS.

    Not where the settings say how bodies are signed.
    """
    config = request.context.get("client_config")
    chosen = (config and config.s3) or {}
    is_free = chosen.get("payload_signing_enabled") is None
    if is_free and "Content-MD5" in request.headers:
        unsigned = Config(s3={**chosen, "payload_signing_enabled": False})
        request.context["client_config"] = (config or Config()).merge(unsigned)


class Calls:
    """One bucket, asked through a client of django-storages' ``S3Storage``."""

    def __init__(self, client: Any, bucket: str, place: str, patience: Patience):
        self.client = client
        self.place = place
        self._bucket = bucket
        self._patience = patience
        self._conditional = True

    def ask(
        self,
        deed: str,
        beat: Beat | None,
        none_at: frozenset[int] = frozenset(),
        *,
        unless: Callable[[], bool] | None = None,
        **arguments: Any,
    ) -> Any:
        """Return the answer, None where its status is in ``none_at``.

        With a ``beat`` what may pass is tried again with patience; None too where
        ``unless`` says before a further try that none is needed. Raise
        ``DestinationUnreachable`` for what may pass, ``DestinationRefused``
        or ``FileNotFoundError`` for the rest.
        """
        while True:
            if not self._conditional:
                arguments.pop("IfNoneMatch", None)
            try:
                answer = getattr(self.client, deed)(Bucket=self._bucket, **arguments)
            except problems.ClientError as error:
                if _status(error) in none_at:
                    return None
                if _code(error) == "NotImplemented" and "IfNoneMatch" in arguments:
                    self._conditional = False
                    continue
                self._bear(error, beat)
            except problems.BotoCoreError as error:
                self._bear(error, beat)
            else:
                self._patience.succeeded()
                return answer
            if unless is not None and unless():
                return None

    def _bear(self, error: Exception, beat: Beat | None) -> None:
        """Wait for the next try, or raise."""
        if not _may_pass(error):
            raise self._permanent(error) from error
        told = unreachable(self.place, _words(error))
        if beat is None:
            raise told from error
        self._patience.wait(told, beat)

    def _permanent(self, error: Exception) -> Exception:
        if isinstance(error, problems.ClientError) and _code(error) == "NoSuchBucket":
            return missing(self.place)
        return refused(self.place, _words(error))

    def has(self, key: str, beat: Beat | None) -> bool:
        return self.ask("head_object", beat, GONE, Key=key) is not None

    def read(
        self, key: str, beat: Beat | None, of: tuple[str, int] = ("", 0)
    ) -> Iterator[bytes]:
        """Yield an object's bytes; go on where a cut off answer ended.

        ``of``: the ETag that the object must have, and the byte to begin with. Raise
        ``FileNotFoundError``.
        """
        etag, offset = of
        seen: dict[str, Any] = {"IfMatch": etag} if etag else {}
        if offset:
            seen["Range"] = f"bytes={offset}-"
        while True:
            answer = self.ask("get_object", beat, GONE, Key=key, **seen)
            if answer is None:
                raise FileNotFoundError(key)
            left = int(answer["ContentLength"])
            try:
                for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                    offset += len(chunk)
                    left -= len(chunk)
                    yield chunk
            except CUT_OFF as error:
                if left == 0:
                    return
                self._bear(error, beat)
            else:
                return
            # Only of the same object; an empty range would be refused.
            seen = {"IfMatch": answer["ETag"]}
            if offset:
                seen["Range"] = f"bytes={offset}-"


def _status(error: problems.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _code(error: problems.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _may_pass(error: Exception) -> bool:
    if not isinstance(error, problems.ClientError):
        return isinstance(error, CUT_OFF)
    status = _status(error)
    passing = status >= SERVER_ERROR or status == TOO_MANY_REQUESTS
    return passing or _code(error) in PASSING_CODES


def _words(error: Exception) -> str:
    if not isinstance(error, problems.ClientError):
        return type(error).__name__
    return _("the server answered %(status)d %(code)s") % {
        "status": _status(error),
        "code": _code(error),
    }
