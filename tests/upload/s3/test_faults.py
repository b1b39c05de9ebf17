"""An S3 server that fails, lies, loses answers and knows conditions (F20)."""

import hashlib
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services import rclone
from tests.services.faulty_http import Fault, Faulty
from tests.upload.s3.targets import LONG, Clock, held, opened, put
from upload.errors import (
    DestinationRefused,
    DestinationUnreachable,
    DigestMismatch,
    JobCancelled,
    TargetOccupied,
)
from upload.targets.s3 import S3Target


def uploads(target: S3Target, bucket: Path) -> list[Any]:
    """Return the uploads that were neither completed nor aborted."""
    with suppress(ClientError):  # rclone answers 404 where there never was one
        listed = target._calls.client.list_multipart_uploads(Bucket=bucket.name)
        return list(listed.get("Uploads", []))
    return []


STEPS = [
    (b"abc", "PUT", "/a.bin"),
    (b"abc", "HEAD", "/a.bin"),
    (LONG, "POST", "?uploads"),
    (LONG, "PUT", ".muniment-job"),
    (LONG, "PUT", "partNumber=2"),
    (LONG, "POST", "uploadId="),
    (LONG, "GET", "/a.bin"),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("deed", ["answer", "lose"])
def test_what_may_pass_is_tried_again(
    target: S3Target, proxy: Faulty, bucket: Path, deed: str, step: Any
) -> None:
    content, method, within = step
    proxy.faults = [Fault(method, within, deed, times=2)]

    put(target, content)

    assert proxy.faults[0].times < 2
    assert held(bucket) == {"a.bin": content}


@pytest.mark.parametrize("code", ["BadDigest", "RequestTimeout", "SlowDown"])
def test_a_refusal_that_may_pass_is_told_by_its_code(
    target: S3Target, proxy: Faulty, bucket: Path, code: str
) -> None:
    proxy.faults = [Fault("PUT", "/a.bin", "answer", 400, code)]

    put(target, b"abc")

    assert held(bucket) == {"a.bin": b"abc"}


def test_a_download_that_was_cut_goes_on_where_it_ended(
    target: S3Target, proxy: Faulty
) -> None:
    put(target, LONG)
    proxy.faults = [Fault("GET", "/a.bin", "cut", times=3)]
    heard: list[int] = []

    receipt = target.digest("a.bin", heard.append)

    assert receipt.sha256 == hashlib.sha256(LONG).hexdigest()
    assert sum(heard) == len(LONG)


def test_bytes_that_come_back_changed_are_not_kept(
    target: S3Target, proxy: Faulty, bucket: Path
) -> None:
    proxy.faults = [Fault("GET", "/a.bin", "flip")]

    with pytest.raises(DigestMismatch):
        put(target, b"abc")

    assert held(bucket) == {}


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_server_that_knows_conditions_refuses_to_replace(
    target: S3Target, proxy: Faulty, bucket: Path, method: str
) -> None:
    proxy.faults = [
        Fault(
            method, "/a.bin?uploadId" if method == "POST" else "/a.bin", "answer", 412
        )
    ]

    def plant_once(count: int) -> None:
        (bucket / "a.bin").write_bytes(b"theirs")

    with pytest.raises(TargetOccupied):
        put(target, LONG if method == "POST" else b"abc", plant_once)

    assert held(bucket) == {"a.bin": b"theirs"}
    assert uploads(target, bucket) == []


def test_a_server_that_knows_no_conditions_is_asked_without(
    target: S3Target, proxy: Faulty, bucket: Path
) -> None:
    proxy.faults = [Fault("PUT", "/a.bin", "answer", 501, "NotImplemented")]

    put(target, b"abc")

    assert held(bucket) == {"a.bin": b"abc"}


def test_a_failing_server_is_waited_for_two_minutes(
    target: S3Target, proxy: Faulty, clock: Clock
) -> None:
    proxy.faults = [Fault("PUT", "/a.bin", "answer", times=1000)]

    with pytest.raises(DestinationUnreachable, match="503 SlowDown"):
        put(target, b"abc")

    assert 90 < clock.now <= 120


def test_a_cancel_ends_the_waiting(
    target: S3Target, proxy: Faulty, clock: Clock
) -> None:
    proxy.faults = [Fault("PUT", "/a.bin", "answer", times=1000)]

    def beat(count: int) -> None:
        if clock.now > 10:
            raise JobCancelled("stop")

    with pytest.raises(JobCancelled):
        put(target, b"abc", beat)

    assert clock.now < 12


@pytest.mark.parametrize("within", ["partNumber=2", "uploadId="])
def test_a_part_that_fails_for_good_leaves_no_upload(
    target: S3Target, proxy: Faulty, bucket: Path, within: str
) -> None:
    proxy.faults = [Fault("PUT", within, "answer", 403, "AccessDenied", times=9)]

    with pytest.raises(DestinationRefused, match="403 AccessDenied"):
        put(target, LONG)

    assert uploads(target, bucket) == []
    assert held(bucket) == {}


def test_an_upload_that_could_not_be_aborted_is_swept(
    target: S3Target, proxy: Faulty, bucket: Path
) -> None:
    proxy.faults = [
        Fault("PUT", "partNumber=2", "answer", 403, "AccessDenied"),
        Fault("DELETE", "uploadId=", "answer"),
    ]
    with pytest.raises(DestinationRefused):
        put(target, LONG)
    assert len(uploads(target, bucket)) == 1

    assert target.drop_staging("job-17-") == 1

    assert uploads(target, bucket) == []
    assert held(bucket) == {}


def test_a_wrong_secret_is_refused_and_not_told(
    s3_server: rclone.Server, bucket: Path, clock: Clock
) -> None:
    secret = "wrong-and-secret"
    with (
        closing(
            opened(s3_server.port, bucket.name, clock, secret_key=secret)
        ) as target,
        pytest.raises(DestinationRefused, match="403") as refused,
    ):
        target.check()

    assert secret not in str(refused.value)
    assert rclone.KEY not in str(refused.value)


def test_a_missing_bucket_is_named(s3_server: rclone.Server, clock: Clock) -> None:
    with (
        closing(opened(s3_server.port, "no-such-bucket", clock)) as target,
        pytest.raises(FileNotFoundError, match="s3://no-such-bucket is missing"),
    ):
        target.check()


def test_a_check_of_an_unreachable_server_does_not_wait(clock: Clock) -> None:
    with (
        closing(opened(1, "bucket", clock)) as target,
        pytest.raises(DestinationUnreachable, match="EndpointConnectionError"),
    ):
        target.check()

    assert clock.now == 0
