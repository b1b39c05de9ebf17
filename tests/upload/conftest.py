"""Servers that are started once a test process, when a test first asks for one."""

from collections.abc import Iterator

import pytest

from tests.services import openssh, rclone


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rclone.Server]:
    with rclone.s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rclone.Server]:
    with rclone.sftp_server(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture(scope="session")
def openssh_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[openssh.Server]:
    with openssh.sftp_server(tmp_path_factory.mktemp("openssh")) as server:
        yield server
