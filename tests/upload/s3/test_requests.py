"""What an S3 server is asked: keys, parameters, sums, signatures, parts."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from tests.services import rclone
from tests.upload.places import s3_entry
from tests.upload.s3.targets import LONG, OWNER, Clock, held, opened, put
from upload.copy_engine import silent
from upload.errors import UnsafePath
from upload.targets.aliases import target_of_alias
from upload.targets.s3 import S3Target
from upload.targets.s3_upload import MOST_PARTS, PART_BYTES, part_bytes

HASHED = "X-Amz-Content-SHA256"


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
