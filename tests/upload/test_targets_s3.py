"""An S3 server that fails, lies, loses answers and knows conditions (F20)."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from django.utils.module_loading import import_string

from tests.services import rclone
from tests.services.faulty_http import Fault, Faulty, faulty_proxy
from tests.upload.places import S3, s3_entry
from upload.copy_engine import Receipt, silent
from upload.errors import (
    DestinationRefused,
    DestinationUnreachable,
    DigestMismatch,
    JobCancelled,
    TargetOccupied,
    UnsafePath,
)
from upload.targets.aliases import target_of_alias
from upload.targets.patience import Patience
from upload.targets.s3 import S3Target
from upload.targets.s3_upload import MOST_PARTS, PART_BYTES, part_bytes

OWNER = "job-17-3"
LONG = b"x" * (PART_BYTES + 1)


class Clock:
    """A time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(s3_server: rclone.Server, tmp_path: Path) -> Path:
    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    (s3_server.root / name).mkdir()
    return s3_server.root / name


@pytest.fixture
def proxy(s3_server: rclone.Server) -> Iterator[Faulty]:
    with faulty_proxy(s3_server.port) as proxy:
        yield proxy


def opened(port: int, bucket: str, clock: Clock, **options: Any) -> S3Target:
    entry = s3_entry(port, bucket, location="", **options)
    storage = import_string(S3)(**entry["OPTIONS"])
    patience = Patience(pause=clock.wait, clock=clock)
    return S3Target(storage, patience=patience)


@pytest.fixture
def target(proxy: Faulty, bucket: Path, clock: Clock) -> Iterator[S3Target]:
    with closing(opened(proxy.port, bucket.name, clock)) as target:
        target.check()
        proxy.seen.clear()
        yield target


def put(
    target: S3Target, content: bytes, beat: Callable[[int], None] = silent
) -> Receipt:
    expected = Receipt(len(content), hashlib.sha256(content).hexdigest())
    return target.put("a.bin", [content], expected, OWNER, beat)


def held(bucket: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in bucket.rglob("*") if path.is_file()
    }


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


def test_a_key_too_long_for_s3_is_refused_alone(target: S3Target) -> None:
    path = "/".join(["é" * 100] * 6)

    with pytest.raises(UnsafePath, match="1024 bytes"):
        target.put(path, [b"x"], None, OWNER, silent)


def test_the_settings_encryption_is_asked_of_every_object(
    s3_server: rclone.Server, bucket: Path, clock: Clock
) -> None:
    wanted = {"StorageClass": "STANDARD_IA"}
    options = {"object_parameters": wanted, "default_acl": "private"}
    with closing(opened(s3_server.port, bucket.name, clock, **options)) as target:
        assert target._parameters("a") == wanted | {"ACL": "private"}
        put(target, LONG)

    assert held(bucket) == {"a.bin": LONG}


def test_a_part_has_one_sum_that_the_server_checks(target: S3Target) -> None:
    seen: list[set[str]] = []
    events = target._calls.client.meta.events
    events.register(
        "before-send.s3.UploadPart",
        lambda request, **_: seen.append(set(request.headers)),
    )

    put(target, LONG)

    assert len(seen) == 2
    for headers in seen:
        assert "Content-MD5" in headers
        assert "Expect" not in headers  # one answer a part, not two
        assert not [name for name in headers if "checksum" in name.lower()]


HASHED = "X-Amz-Content-SHA256"


def signed_sums(target: S3Target) -> dict[str, str]:
    """Put a long file; return what each kind of request signed for its body."""
    sums: dict[str, str] = {}

    def see(request: Any, **_more: Any) -> None:
        value = request.headers[HASHED]
        kind = f"{request.method} {request.url.partition('?')[2].partition('=')[0]}"
        sums[kind] = value.decode() if isinstance(value, bytes) else value

    target._calls.client.meta.events.register("before-send.s3", see)
    put(target, LONG)
    return sums


def test_only_a_body_with_its_own_sum_in_the_signed_header_is_not_hashed_again(
    target: S3Target,
) -> None:
    sums = signed_sums(target)

    unsigned = {kind for kind, value in sums.items() if value == "UNSIGNED-PAYLOAD"}
    assert unsigned == {"PUT ", "PUT partNumber"}
    assert "POST uploadId" in sums  # what puts the parts together is signed whole


def test_the_settings_choice_of_signing_bodies_is_kept(
    s3_server: rclone.Server, bucket: Path, clock: Clock
) -> None:
    config = Config(s3={"payload_signing_enabled": True})
    with closing(
        opened(s3_server.port, bucket.name, clock, client_config=config)
    ) as target:
        sums = signed_sums(target)

    assert "UNSIGNED-PAYLOAD" not in sums.values()


def test_parts_grow_with_files_that_are_too_long_for_short_ones() -> None:
    terabyte = 10**12

    assert part_bytes(10) == PART_BYTES
    assert terabyte / part_bytes(terabyte) <= MOST_PARTS


def test_the_settings_lead_to_this_adapter(
    s3_server: rclone.Server, bucket: Path, settings: Any
) -> None:
    settings.DESTINATIONS = {"box": s3_entry(s3_server.port, bucket.name)}

    assert isinstance(target_of_alias("box"), S3Target)
