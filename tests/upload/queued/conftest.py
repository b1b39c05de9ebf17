"""Servers of the remote storages, started when a test first asks for one."""

from collections.abc import Iterator

import pytest

from tests.services import couchdb, ftp, mongo, swift


@pytest.fixture(scope="session")
def ftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ftp.Server]:
    with ftp.ftp_server(tmp_path_factory.mktemp("ftp")) as server:
        yield server


@pytest.fixture(scope="session")
def old_ftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ftp.Server]:
    folder = tmp_path_factory.mktemp("old-ftp")
    with ftp.ftp_server(folder, lacking=("MLST", "MLSD")) as server:
        yield server


@pytest.fixture(scope="session")
def ftps_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ftp.Server]:
    with ftp.ftp_server(tmp_path_factory.mktemp("ftps"), tls=True) as server:
        yield server


@pytest.fixture(scope="session")
def couchdb_server() -> Iterator[str]:
    with couchdb.couchdb_server() as url:
        yield url


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[str]:
    with mongo.mongo_server() as uri:
        yield uri


@pytest.fixture(scope="session")
def swift_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[swift.Server]:
    with swift.swift_server(tmp_path_factory.mktemp("swift")) as server:
        yield server
