"""Each remote storage before its server: what stands in STORAGES, by its name here."""

import uuid
from contextlib import closing
from typing import Any

import pytest
import requests
import swiftclient
from django.core.files.storage import Storage, storages

from tests.services import ftp, openssh, rclone, swift

REMOTES = "upload.queued_storage.remotes"


def made(entry: dict[str, Any]) -> Storage:
    """Make the storage as Django makes it from STORAGES."""
    return storages.create_storage(entry)


def entry_of(kind: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return an entry whose place holds nothing yet."""
    return ENTRIES[kind](request)


def _sftp(request: pytest.FixtureRequest) -> dict[str, Any]:
    server: openssh.Server = request.getfixturevalue("openssh_server")
    folder = server.root / uuid.uuid4().hex
    folder.mkdir()
    options = {
        "host": "127.0.0.1",
        "port": server.port,
        "username": server.user,
        "key_file": str(server.key_file),
        "host_keys": [server.host_key],
        "root": str(folder),
    }
    return {"BACKEND": f"{REMOTES}.sftp.StreamingSFTPStorage", "OPTIONS": options}


def _rclone_sftp(request: pytest.FixtureRequest) -> dict[str, Any]:
    server: rclone.Server = request.getfixturevalue("sftp_server")
    root = uuid.uuid4().hex
    (server.root / root).mkdir()
    options = {
        "host": "127.0.0.1",
        "port": server.port,
        "username": rclone.USER,
        "password": rclone.PASSWORD,
        "host_keys": [rclone.host_key_of(server)],
        "root": root,
    }
    return {"BACKEND": f"{REMOTES}.sftp.StreamingSFTPStorage", "OPTIONS": options}


def _ftp_of(fixture: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    server: ftp.Server = request.getfixturevalue(fixture)
    root = uuid.uuid4().hex
    (server.root / root).mkdir()
    options = {
        "host": "127.0.0.1",
        "port": server.port,
        "username": ftp.USER,
        "password": ftp.PASSWORD,
        "root": root,
        "tls": bool(server.ca_file),
        "ca_file": server.ca_file,
    }
    return {"BACKEND": f"{REMOTES}.ftp.StreamingFTPStorage", "OPTIONS": options}


def _s3(request: pytest.FixtureRequest) -> dict[str, Any]:
    server: rclone.Server = request.getfixturevalue("s3_server")
    bucket = uuid.uuid4().hex
    (server.root / bucket).mkdir()
    return s3_entry(server.port, bucket)


def s3_entry(port: int, bucket: str, **more: Any) -> dict[str, Any]:
    options = {
        "access_key": rclone.KEY,
        "secret_key": rclone.SECRET,
        "bucket_name": bucket,
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region_name": "us-east-1",
        "signature_version": "s3v4",
        "addressing_style": "path",
        "location": "records",
        "patience_seconds": 3,
    }
    return {"BACKEND": f"{REMOTES}.s3.VerifiedS3Storage", "OPTIONS": options | more}


def _database(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"BACKEND": f"{REMOTES}.database.DatabaseStorage", "OPTIONS": {}}


def _couchdb(request: pytest.FixtureRequest) -> dict[str, Any]:
    server: str = request.getfixturevalue("couchdb_server")
    database = f"d{uuid.uuid4().hex}"
    requests.put(f"{server}/{database}", timeout=10).raise_for_status()
    options = {"server_url": server, "database": database}
    return {"BACKEND": f"{REMOTES}.couchdb.CouchDBStorage", "OPTIONS": options}


def _gridfs(request: pytest.FixtureRequest) -> dict[str, Any]:
    uri: str = request.getfixturevalue("mongo_server")
    options = {"uri": uri, "database": f"d{uuid.uuid4().hex}"}
    return {"BACKEND": f"{REMOTES}.gridfs.GridFSStorage", "OPTIONS": options}


def _swift(request: pytest.FixtureRequest) -> dict[str, Any]:
    server: swift.Server = request.getfixturevalue("swift_server")
    container = uuid.uuid4().hex
    with closing(swiftclient.Connection(**server.auth)) as connection:
        connection.put_container(container)
    options = {"container": container, "auth": server.auth}
    return {"BACKEND": f"{REMOTES}.swift.SwiftStorage", "OPTIONS": options}


ENTRIES: dict[str, Any] = {
    "sftp": _sftp,
    "sftp-rclone": _rclone_sftp,
    "ftp": lambda request: _ftp_of("ftp_server", request),
    "ftp-old": lambda request: _ftp_of("old_ftp_server", request),
    "ftps": lambda request: _ftp_of("ftps_server", request),
    "s3": _s3,
    "database": _database,
    "couchdb": _couchdb,
    "gridfs": _gridfs,
    "swift": _swift,
}
KINDS = list(ENTRIES)
