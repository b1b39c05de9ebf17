"""Servers that are cut off, that lose bytes, that are strangers, that refuse."""

import logging
import os
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile

from tests.services import ftp, openssh, rclone
from tests.services.cutting import cutting_proxy
from tests.services.faulty_http import Fault, Faulty, faulty_proxy
from tests.upload.queued.remotes import entry_of, ftp_entry, made, s3_entry

LONG = os.urandom(1 << 20) * 10
WRONG = "wrong-word"


def through(entry: dict[str, Any], port: int) -> dict[str, Any]:
    """Return the entry with another port: that of a proxy."""
    options = dict(entry["OPTIONS"])
    if "port" in options:
        options["port"] = port
    for name in ("endpoint_url", "server_url", "uri"):
        if name in options:
            options[name] = _moved(options[name], port)
    if "auth" in options:
        url = _moved(options["auth"]["authurl"], port)
        options["auth"] = options["auth"] | {"authurl": url}
    return entry | {"OPTIONS": options}


def port_of(options: dict[str, Any]) -> int:
    if "port" in options:
        return int(options["port"])
    found = next(
        n for n in ("endpoint_url", "server_url", "uri", "auth") if n in options
    )
    url = options[found]["authurl"] if found == "auth" else options[found]
    return urlsplit(url).port or 0


def _moved(url: str, port: int) -> str:
    return url.replace(f":{urlsplit(url).port}", f":{port}", 1)


@pytest.mark.parametrize("kind", ["sftp", "ftp", "s3", "couchdb", "swift", "gridfs"])
@pytest.mark.parametrize("cut_after", [30, 4_000, 3_000_000])
def test_a_connection_that_is_cut_leaves_no_name(
    kind: str, cut_after: int, request: pytest.FixtureRequest
) -> None:
    if kind == "ftp" and cut_after > 100:
        pytest.skip("so many bytes never pass on FTP's control connection")
    entry = entry_of(kind, request)
    if kind == "s3":
        entry["OPTIONS"]["patience_seconds"] = 0.5
    with cutting_proxy(port_of(entry["OPTIONS"])) as proxy:
        proxy.cut_after = cut_after
        with closed(made(through(entry, proxy.port))) as cut, pytest.raises(OSError):
            cut.save("a/b.bin", ContentFile(LONG))

    with closed(made(entry)) as direct:
        assert direct.exists("a/b.bin") is False
        assert direct.save("a/b.bin", ContentFile(LONG)) == "a/b.bin"
        with direct.open("a/b.bin") as file:
            assert file.read() == LONG


@contextmanager
def closed(storage: Any) -> Iterator[Any]:
    try:
        yield storage
    finally:
        if hasattr(storage, "close"):
            storage.close()


# Strangers and refusals


def test_a_changed_host_key_is_refused_and_logged(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "k")]
    subprocess.run(command, check=True)
    entry = entry_of("sftp", request)
    entry["OPTIONS"]["host_keys"] = [(tmp_path / "k.pub").read_text()]

    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(PermissionError, match="host key is not one"),
    ):
        made(entry).save("a", ContentFile(b"x"))

    assert "the host key is not one that the settings pin" in caplog.text


def test_a_certificate_of_a_stranger_is_refused(request: pytest.FixtureRequest) -> None:
    entry = entry_of("ftps", request)
    entry["OPTIONS"]["ca_file"] = ""

    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        made(entry).exists("a")


def test_a_server_that_wants_tls_gets_no_password_without(
    request: pytest.FixtureRequest,
) -> None:
    entry = entry_of("ftps", request)
    entry["OPTIONS"]["tls"] = False

    with pytest.raises(OSError):
        made(entry).exists("a")


@pytest.mark.parametrize("kind", ["sftp-rclone", "ftp", "ftps", "s3", "swift"])
def test_a_refused_login_tells_no_secret(
    kind: str, request: pytest.FixtureRequest
) -> None:
    entry = entry_of(kind, request)
    name = {"s3": "secret_key", "swift": "auth"}.get(kind, "password")
    wrong = entry["OPTIONS"]["auth"] | {"key": WRONG} if name == "auth" else WRONG
    entry["OPTIONS"][name] = wrong

    with pytest.raises(PermissionError) as refused:
        made(entry).exists("a")

    assert WRONG not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("kind", ["sftp", "ftp", "s3", "couchdb", "swift"])
def test_a_server_that_does_not_listen_is_an_os_error(
    kind: str, request: pytest.FixtureRequest
) -> None:
    entry = entry_of(kind, request)
    if kind == "s3":
        entry["OPTIONS"]["patience_seconds"] = 0.1

    with pytest.raises(OSError):
        made(through(entry, 1)).exists("a")


# FTP servers that lose bytes


@pytest.mark.parametrize("spoil", [ftp.shorten, ftp.rot])
def test_a_file_that_an_ftp_server_spoils_gets_no_name(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    with ftp.ftp_server(tmp_path, spoil=spoil) as server:
        storage = made(ftp_entry(server))
        with pytest.raises(OSError, match=r"a\.txt"):
            storage.save("a.txt", ContentFile(b"abc"))

    assert [path for path in server.root.rglob("*") if path.is_file()] == []


class Tampering(ContentFile):
    """Content that, when nearly sent, changes what the server has of it already."""

    root: Path

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield from super().chunks(chunk_size)
        (staged,) = (path for path in self.root.rglob("*") if path.is_file())
        with staged.open("r+b") as file:
            file.write(bytes([LONG[0] ^ 1]))


def test_a_file_that_an_sftp_server_spoils_gets_no_name(
    request: pytest.FixtureRequest,
) -> None:
    entry = entry_of("sftp", request)
    content = Tampering(LONG)
    content.root = Path(entry["OPTIONS"]["root"])

    with pytest.raises(OSError, match=r"a\.bin"):
        made(entry).save("a.bin", content)

    assert held(content.root) == []


def test_text_is_not_changed_after_a_listing(request: pytest.FixtureRequest) -> None:
    storage = made(entry_of("ftp-old", request))
    storage.save("a", ContentFile(b"x"))
    storage.listdir("")

    storage.save("b", ContentFile(b"one\ntwo\n"))

    assert storage.size("b") == 8


# S3 servers that fail and lose answers


@pytest.fixture
def proxy(s3_server: rclone.Server) -> Iterator[Faulty]:
    with faulty_proxy(s3_server.port) as proxy:
        yield proxy


@pytest.fixture
def bucket(s3_server: rclone.Server, tmp_path: Path) -> Path:
    folder = s3_server.root / f"faults-{os.urandom(8).hex()}"
    folder.mkdir()
    return folder


def held(bucket: Path) -> list[bytes]:
    return [path.read_bytes() for path in bucket.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"short", LONG])
def test_an_s3_server_that_fails_once_is_asked_again(
    proxy: Faulty, bucket: Path, content: bytes
) -> None:
    proxy.faults += [Fault("PUT", "a.bin", "answer"), Fault("GET", "a.bin", "cut")]
    storage = made(s3_entry(proxy.port, bucket.name))

    storage.save("a.bin", ContentFile(content))

    with storage.open("a.bin") as file:
        assert file.read() == content


def test_an_s3_part_that_is_refused_leaves_no_object(
    proxy: Faulty, bucket: Path
) -> None:
    refusal = Fault("PUT", "partNumber=2", "answer", 403, "AccessDenied")
    proxy.faults.append(refusal)
    storage = made(s3_entry(proxy.port, bucket.name))

    with pytest.raises(PermissionError):
        storage.save("a.bin", ContentFile(LONG))

    assert held(bucket) == []


def test_each_s3_request_carries_a_sum_of_its_body(
    s3_server: rclone.Server, bucket: Path
) -> None:
    storage: Any = made(s3_entry(s3_server.port, bucket.name))
    sums: list[str] = []
    events = storage.connection.meta.client.meta.events
    for deed in ("PutObject", "UploadPart"):
        events.register(
            f"before-send.s3.{deed}",
            lambda request, **more: sums.append(request.headers.get("Content-MD5")),
        )

    storage.save("short", ContentFile(b"short"))
    storage.save("long", ContentFile(LONG))

    assert len(sums) == 4  # the short one, two parts, and their note
    assert None not in sums


def test_a_folder_on_sftp_is_not_followed_by_a_link(
    openssh_server: openssh.Server, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    entry = entry_of("sftp", request)
    (Path(entry["OPTIONS"]["root"]) / "a").symlink_to(tmp_path)

    with pytest.raises(Exception, match="a"):
        made(entry).save("a/b.txt", ContentFile(b"x"))

    assert not (tmp_path / "b.txt").exists()
