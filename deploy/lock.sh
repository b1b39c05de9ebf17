#!/bin/sh
# Write the lock files again from pyproject.toml. Pass no index address: the header of a
# lock repeats the command line, and a lock names no host.
set -eu
cd "$(dirname "$0")/.."
[ -x .boot/bin/uv ] || deploy/setup.sh

compile() {
    .boot/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.12 "$@"
}

# The dev lock first: it holds every pin of the other one, so the extras have their say.
compile pyproject.toml --extra postgres --extra s3 --extra sftp \
    --extra swift --extra gridfs --extra azure --extra gcs --group dev -o requirements-dev.lock
compile pyproject.toml --constraint requirements-dev.lock -o requirements.lock
compile --group pyproject.toml:boot -o requirements-boot.lock
