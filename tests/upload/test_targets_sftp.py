"""An SFTP server that changes its key, is cut off, or has links planted (F21)."""

import hashlib
import logging
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.services import openssh, rclone
from tests.services.cutting import Cutting, cutting_proxy
from upload.copy_engine import Receipt, silent
from upload.errors import (
    DestinationRefused,
    DestinationUnreachable,
    DigestMismatch,
    TargetOccupied,
    UnsafePath,
)
from upload.targets.sftp import SftpTarget

OWNER = "job-17-3"
MIB = 1 << 20


@pytest.fixture
def folder(openssh_server: openssh.Server, tmp_path: Path) -> Path:
    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    (openssh_server.root / name).mkdir()
    return openssh_server.root / name


@pytest.fixture
def options(openssh_server: openssh.Server, folder: Path) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": openssh_server.port,
        "username": openssh_server.user,
        "key_file": str(openssh_server.key_file),
        "host_keys": [openssh_server.host_key],
        "root": str(folder),
    }


@pytest.fixture
def target(options: dict[str, Any]) -> Iterator[SftpTarget]:
    with closing(SftpTarget(**options)) as target:
        target.check()
        yield target


@pytest.fixture
def proxy(openssh_server: openssh.Server) -> Iterator[Cutting]:
    with cutting_proxy(openssh_server.port) as proxy:
        yield proxy


def put(target: SftpTarget, path: str, content: bytes) -> Receipt:
    expected = Receipt(len(content), hashlib.sha256(content).hexdigest())
    chunks = [content[n : n + MIB] for n in range(0, len(content), MIB)]
    return target.put(path, chunks, expected, OWNER, silent)


def held(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


# Who the server is, and whether it lets us in


def another_key(folder: Path) -> str:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "k")]
    subprocess.run(command, check=True)
    return (folder / "k.pub").read_text()


def test_a_changed_host_key_is_refused_and_logged(
    options: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = SftpTarget(**options | {"host_keys": [another_key(tmp_path)]})

    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(DestinationRefused, match="host key is not one"),
    ):
        target.check()

    assert "the host key is not one that the settings pin" in caplog.text


def test_one_of_several_pinned_keys_is_enough(
    options: dict[str, Any], tmp_path: Path
) -> None:
    lines = [another_key(tmp_path), f"[127.0.0.1]:22 {options['host_keys'][0]}"]

    with closing(SftpTarget(**options | {"host_keys": lines})) as target:
        target.check()


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([], "host_keys are not set"),
        (["ssh-ed25519"], "no public key"),
        (["ssh-ed25519 ?"], "no public key"),
        (["ssh-unheard-of AAAA"], "unknown kind"),
    ],
)
def test_a_server_without_a_readable_pin_is_refused(
    options: dict[str, Any], keys: list[str], reason: str
) -> None:
    with pytest.raises(DestinationRefused, match=reason):
        SftpTarget(**options | {"host_keys": keys}).check()


@pytest.mark.parametrize(
    "login", [{"username": "nobody-here"}, {"key_file": "", "password": "wrong-word"}]
)
def test_a_refused_login_tells_no_secret(
    options: dict[str, Any], login: dict[str, str]
) -> None:
    with pytest.raises(DestinationRefused, match="refused the login") as refused:
        SftpTarget(**options | login).check()

    assert "wrong-word" not in str(refused.value)


def test_a_key_file_that_cannot_be_read_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(DestinationRefused, match="key_file cannot be read"):
        SftpTarget(**options | {"key_file": "/no/such/key"}).check()


def test_a_server_that_does_not_listen_is_unreachable(options: dict[str, Any]) -> None:
    with pytest.raises(DestinationUnreachable, match=r"sftp://127\.0\.0\.1:1/"):
        SftpTarget(**options | {"port": 1}).check()


def test_a_missing_root_is_named_and_not_made(
    options: dict[str, Any], folder: Path
) -> None:
    folder.rmdir()

    with (
        closing(SftpTarget(**options)) as target,
        pytest.raises(FileNotFoundError, match="is missing"),
    ):
        target.check()

    assert not folder.exists()


def test_a_root_that_is_a_file_is_refused(
    options: dict[str, Any], folder: Path
) -> None:
    folder.rmdir()
    folder.write_bytes(b"")

    with (
        closing(SftpTarget(**options)) as target,
        pytest.raises(DestinationRefused, match="not a folder"),
    ):
        target.check()


# Files


@pytest.mark.parametrize("cut_after", [100, 3_000, 70_000, 1_500_000])
def test_a_connection_that_is_cut_leaves_no_final_name(
    options: dict[str, Any], folder: Path, proxy: Cutting, cut_after: int
) -> None:
    content = b"x" * 2 * MIB
    with closing(SftpTarget(**options | {"port": proxy.port})) as target:
        proxy.cut_after = cut_after
        with pytest.raises(DestinationUnreachable):
            put(target, "a/b.bin", content)
        assert "a/b.bin" not in held(folder)

        proxy.cut_after = None
        target.drop_staging(OWNER)
        put(target, "a/b.bin", content)

    assert {n: d for n, d in held(folder).items() if "probe" not in n} == {
        "a/b.bin": content
    }


def test_a_long_file_is_flushed_on_the_way(
    target: SftpTarget, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upload.targets.sftp_files.SYNC_EVERY_BYTES", MIB)
    content = bytes(range(256)) * 4096 * 5

    put(target, "a.bin", content)

    assert held(folder) == {"a.bin": content}


@pytest.mark.parametrize("kind", ["folder", "link", "fifo"])
def test_what_is_no_file_is_left_alone(
    target: SftpTarget, folder: Path, kind: str
) -> None:
    if kind == "folder":
        (folder / "a.txt").mkdir()
    elif kind == "link":
        (folder / "a.txt").symlink_to("/etc/passwd")
    else:
        subprocess.run(["mkfifo", str(folder / "a.txt")], check=True)

    with pytest.raises(TargetOccupied):
        put(target, "a.txt", b"abc")


def test_a_planted_link_leads_nowhere(
    target: SftpTarget, folder: Path, tmp_path: Path
) -> None:
    (folder / "a").symlink_to(tmp_path)

    with pytest.raises(UnsafePath):
        put(target, "a/b.txt", b"abc")

    assert not (tmp_path / "b.txt").exists()


def test_a_file_in_a_folders_place_is_left_alone(
    target: SftpTarget, folder: Path
) -> None:
    put(target, "a", b"abc")

    with pytest.raises(TargetOccupied):
        put(target, "a/b", b"x")

    assert held(folder) == {"a": b"abc"}


def test_bytes_that_change_on_the_server_are_not_placed(
    target: SftpTarget, folder: Path
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"abc"
        (staging,) = folder.glob(".muniment-*")
        staging.write_bytes(b"abc!")

    expected = Receipt(3, hashlib.sha256(b"abc").hexdigest())
    with pytest.raises(DigestMismatch):
        target.put("a.txt", chunks(), expected, OWNER, silent)

    assert held(folder) == {}


def test_this_server_refuses_to_replace_and_can_fsync(target: SftpTarget) -> None:
    assert target.capabilities() == {
        "refuses_to_replace": True,
        "stages": True,
        "syncs": True,
    }
    assert (target.free_bytes() or 0) > 0


def test_a_server_that_replaces_by_rename_is_found_out(
    sftp_server: rclone.Server,
) -> None:
    target = SftpTarget(
        host="127.0.0.1",
        port=sftp_server.port,
        username=rclone.USER,
        password=rclone.PASSWORD,
        host_keys=[rclone.host_key_of(sftp_server)],
    )

    with closing(target):
        assert target.capabilities()["refuses_to_replace"] is False
