"""PouchDB's server, which speaks CouchDB's HTTP: an emulator, in the memory of a node.

``tests/services/install.sh`` installs it by npm where node is there.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.codebase import ROOT
from tests.services.system import missing

MODULES = ROOT / ".boot" / "node"
SCRIPT = """
const express = require('express');
const Pouch = require('pouchdb-core').plugin(require('pouchdb-adapter-memory'));
const pouch = require('express-pouchdb')(
  Pouch.defaults({adapter: 'memory'}), {mode: 'minimumForPouchDB', inMemoryConfig: true}
);
const app = express();
app.use(pouch);
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""


@contextmanager
def couchdb_server() -> Iterator[str]:
    """Yield the server's URL."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; CouchDB's emulator needs it.")
    if not (MODULES / "node_modules" / "express-pouchdb").exists():
        missing("express-pouchdb is not installed. Run tests/services/install.sh.")
    process = subprocess.Popen(
        [node, "-e", SCRIPT],
        cwd=MODULES,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
