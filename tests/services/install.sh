#!/bin/sh
# Install the system packages that some tests need. Does nothing where none is missing.
#
# Always ends with 0: a test whose program is missing skips itself on a person's machine
# and fails where CI=true (tests/services/system.py).
set -u

missing=""
need() { # package, then a command that is true where it is there
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has() { command -v "$1"; }
has_program() { [ -x "$1" ]; }
has_library() { ldconfig -p | grep -q "$1" || find /usr/lib /lib -name "$1*" | grep -q .; }
has_font() { find /usr/share/fonts -iname "$1" | grep -q .; }

need chromium has chromium
need gettext has msgfmt
need strace has strace
need exfat-fuse has_program /usr/sbin/mount.exfat-fuse
need exfatprogs has_program /usr/sbin/mkfs.exfat
need e2fsprogs has_program /usr/sbin/mkfs.ext4
need nginx-light has_program /usr/sbin/nginx
need clamav-daemon has_program /usr/sbin/clamd
need openssh-server has_program /usr/sbin/sshd
need memcached has memcached
need liberasurecode1 has_library liberasurecode.so.1
need faketime has_program /usr/bin/faketime
need libmagic1 has_library libmagic.so.1
need fonts-ipafont-gothic has_font 'ipag.*'

# An emulator of CouchDB, where node is there; it goes beside the boot environment.
node_modules="$(dirname "$0")/../../.boot/node"
if has npm >/dev/null && [ ! -d "$node_modules/node_modules/express-pouchdb" ]; then
    mkdir -p "$node_modules"
    npm install --silent --no-audit --no-fund --no-package-lock \
        --prefix "$node_modules" express-pouchdb@4.2.0 pouchdb-core@9.0.0 \
        pouchdb-adapter-memory@9.0.0 express@4.21.2 >/dev/null ||
        echo "services: could not install express-pouchdb; its tests are skipped."
fi

# A tus client that knows nothing of us, and the peer of a measurement; their lock pins
# what they bring by digest.
tus_client="$(dirname "$0")/../../.boot/tus"
if has npm >/dev/null && [ ! -d "$tus_client/node_modules/@tus/file-store" ]; then
    mkdir -p "$tus_client"
    cp "$(dirname "$0")"/tus-client/* "$tus_client"
    npm ci --silent --no-audit --no-fund --prefix "$tus_client" >/dev/null ||
        echo "services: could not install tus-js-client and @tus/server; their tests are skipped."
fi

[ -n "$missing" ] || exit 0

# Never waits for a password where nobody can type one.
apt() {
    if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo"; fi
    if [ -n "$as_root" ] && [ ! -t 0 ]; then as_root="sudo --non-interactive"; fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

echo "services: installing with apt-get:$missing"
# shellcheck disable=SC2086  # one word a package
if has apt-get >/dev/null && apt update -qq &&
    apt install -qq -y --no-install-recommends $missing >/dev/null; then
    echo "services: installed."
else
    echo "services: could not install$missing. Install them by hand; until then the" \
        "tests that need them are skipped, or fail where CI=true."
fi
