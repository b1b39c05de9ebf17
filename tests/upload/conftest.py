"""Servers, started once a test process when first asked for, and places on them."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.codebase import ROOT
from tests.make import make_session
from tests.services import (
    azurite,
    couchdb,
    ftp,
    gcs,
    mongo,
    openssh,
    rclone,
    swift,
)
from tests.upload import places
from tests.upload.places import Place
from upload.models import UploadSession

LOCAL = {
    "folder": places.folder_place,
    "durable": places.durable_place,
    "foreign": places.foreign_place,
    "memory": places.memory_place,
}
SERVED: dict[str, tuple[Callable[..., Place], str]] = {
    "s3": (places.s3_place, "s3_server"),
    "sftp": (places.rclone_sftp_place, "sftp_server"),
    "openssh": (places.openssh_place, "openssh_server"),
}


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


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[str]:
    with gcs.gcs_server() as url:
        yield url


@pytest.fixture(scope="session")
def azurite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with azurite.azurite_server(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture(params=[*LOCAL, *SERVED])
def place(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Place:
    if request.param in LOCAL:
        folder = tmp_path / "box"
        folder.mkdir()
        return LOCAL[request.param](settings, folder)
    make, server = SERVED[request.param]
    # Its own folder or bucket on the shared server.
    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    return make(settings, request.getfixturevalue(server), name)


@pytest.fixture(scope="session")
def collected_statics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a DATA_DIR whose static files are collected, as on a server."""
    folder = tmp_path_factory.mktemp("collected")
    command = [sys.executable, "manage.py", "collectstatic", "--noinput"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(folder),
    }
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def server_environment(
    program_environment: dict[str, str], collected_statics: Path
) -> dict[str, str]:
    """Return the environment of a web server of this test's data."""
    return program_environment | {"DATA_DIR": str(collected_statics)}


@pytest.fixture
def session(db: None) -> UploadSession:
    """Return an open session, without an owner or a file."""
    return make_session()


@pytest.fixture
def sender(client_for: Any, clerk: Any) -> Client:
    """Return a clerk's browser."""
    client: Client = client_for(clerk)
    return client
