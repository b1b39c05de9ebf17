#!/bin/sh
# Make .venv from a lock, and nothing else.
#
#   deploy/setup.sh      what the portal runs on (requirements.lock)
#   deploy/setup.sh dev  that, and what tests and lint need (requirements-dev.lock)
#
# .venv/installed.lock is a copy of the lock that was installed, written last: while it
# equals the lock there is nothing to do, and a run that was cut off is done again. The
# dev lock holds every pin of the other one, so once it is in .venv it stays.
set -eu
cd "$(dirname "$0")/.."

lock=requirements.lock
if [ "${1:-}" = dev ] || [ -e .venv/dev ]; then lock=requirements-dev.lock; fi

say() { echo "setup: $*"; }

fail() {
    say "$*" >&2
    exit 1
}

runs() { "$@" >/dev/null 2>&1; }

new_enough() { runs "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))'; }

installed() { new_enough .venv/bin/python && cmp -s "$lock" .venv/installed.lock; }

# A pyenv shim may be on PATH and still run nothing, so each candidate is tried.
find_python() {
    for name in python3.13 python3.14 python3.12 python3 python; do
        if new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# uv in an environment of its own: quicker than pip, and able to find or fetch a Python.
boot_uv() {
    cmp -s requirements-boot.lock .boot/installed.lock && runs .boot/bin/uv --version && return
    for name in python3 python; do
        if runs "$name" -m venv --clear .boot; then
            runs .boot/bin/python -m pip install --require-hashes -r requirements-boot.lock &&
                cp requirements-boot.lock .boot/installed.lock
            return
        fi
    done
    return 1
}

# First a Python of this machine, the wanted one before any other; then a fetched one.
make_with_uv() {
    wanted=$(cat .python-version)
    runs .boot/bin/uv venv --clear --no-python-downloads --python "$wanted" .venv && return
    if other=$(find_python); then
        runs .boot/bin/uv venv --clear --python "$other" .venv
    else
        say "no Python 3.12 or newer is installed; fetching Python $wanted."
        .boot/bin/uv venv --clear --python "$wanted" .venv
    fi
}

make_with_venv() {
    python=$(find_python) || fail "No Python 3.12 or newer was found (tried python3.13," \
        "python3.14, python3.12, python3 and python). Install one, for example with" \
        "\"pyenv install 3.13\" or your system's packages, and run make setup again."
    "$python" -m venv --clear .venv || fail "$python could not make an environment." \
        "On Debian install its venv package, for example python3-venv, and run make" \
        "setup again."
}

install_with_uv() {
    new_enough .venv/bin/python || make_with_uv || return 1
    .boot/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python .venv/bin/python "$lock"
}

install_with_pip() {
    say "uv could not do it; using venv and pip, which takes about half a minute."
    runs .venv/bin/python -m pip --version || make_with_venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r "$lock" ||
        fail "pip could not install $lock; see its message above."
}

if installed; then exit 0; fi
say "installing $lock into .venv."
rm -f .venv/installed.lock
{ boot_uv && install_with_uv; } || install_with_pip
if [ "$lock" = requirements-dev.lock ]; then touch .venv/dev; fi
cp "$lock" .venv/installed.lock
say "done; .venv holds $(.venv/bin/python --version)."
