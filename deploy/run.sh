#!/bin/sh
# Start the portal from nothing on this machine, to try it out: plain HTTP, local names
# only, demo data, a secret of its own. Every variable can be set from outside.
# deploy/ has the unit files for a server.
set -eu
cd "$(dirname "$0")/.."
umask 077

DATA_DIR=${DATA_DIR:-.data}
mkdir -p "$DATA_DIR"
DATA_DIR=$(cd "$DATA_DIR" && pwd)
SECRET_KEY_FILE=${SECRET_KEY_FILE:-$DATA_DIR/secret_key}

# Written beside and renamed, so that a cut-off start leaves no half key.
if [ -z "${SECRET_KEY:-}" ] && [ ! -s "$SECRET_KEY_FILE" ]; then
    .venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(64))' \
        >"$SECRET_KEY_FILE.new"
    mv "$SECRET_KEY_FILE.new" "$SECRET_KEY_FILE"
fi

: "${HTTPS_ONLY:=0}"
: "${ALLOWED_HOSTS:=localhost,127.0.0.1,[::1]}"
: "${REMOVAL_NEEDS_APPROVAL:=0}"
export DATA_DIR SECRET_KEY_FILE HTTPS_ONLY ALLOWED_HOSTS REMOVAL_NEEDS_APPROVAL

exec .venv/bin/python manage.py run_portal --port "${PORT:-8000}"
