#!/bin/sh
# Write the lock files again from pyproject.toml. Pass no index address: the header of a
# lock repeats the command line, and a lock names no host.
set -eu
cd "$(dirname "$0")/.."
[ -x .boot/bin/uv ] || deploy/setup.sh

compile() {
    .boot/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.12 "$@"
}

compile pyproject.toml -o requirements.lock
compile pyproject.toml --extra postgres --group dev -o requirements-dev.lock
compile --group pyproject.toml:boot -o requirements-boot.lock
