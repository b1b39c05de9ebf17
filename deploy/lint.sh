#!/bin/sh
# Every check that needs no test run. Goes on after a failure, so that one run shows
# everything; ends with 1 when any check failed.
set -u
cd "$(dirname "$0")/.."
python=.venv/bin/python
failed=""

check() {
    echo "lint: $*"
    "$@" || failed="$failed
  $*"
}

# The settings of a server: HTTPS on, DEBUG off, a secret made for this run.
DATA_DIR=$(mktemp -d)
trap 'rm -rf "$DATA_DIR"' EXIT
SECRET_KEY=$($python -c 'import secrets; print(secrets.token_urlsafe(64))')
export DATA_DIR SECRET_KEY ALLOWED_HOSTS=portal.example HTTPS_ONLY=1
# mypy loads the settings of the tests and ends without their exit hook.
export MUNIMENT_TEST_FOLDER="$DATA_DIR"
manage="$python -W error manage.py"

django_upgrade() {
    find portal upload admin_ext fixtures tests -name '*.py' \
        -exec $python -m django_upgrade --check --target-version 5.2 {} +
}

check $python -m ruff check --quiet .
check $python -m ruff format --quiet --check .
check django_upgrade
check $python -m mypy
check $python -m djhtml --check portal upload admin_ext
check .venv/bin/typos
check $manage makemigrations --check --dry-run
check $manage check --deploy --fail-level WARNING

if [ -n "$failed" ]; then
    echo "lint: these checks failed:$failed"
    exit 1
fi
echo "lint: every check passed."
