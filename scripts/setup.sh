#!/bin/sh
# Make .venv in this checkout hold what pyproject.toml asks for; quick when it already does.
#
# The stamp .venv/.ready is removed before anything is changed and written last. So whatever interrupts a set-up,
# the next call finds no stamp and builds the environment anew. The stamp holds the checkout's path (a moved
# environment has wrong paths inside), the interpreter (a system upgrade takes it away) and the sum of those parts of
# pyproject.toml that decide what is installed.
# Nothing outside the checkout is touched: no cache, no user site.
set -u
unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV

cd "$(dirname "$0")/.." || exit 1
here=$(pwd -P)
stamp=.venv/.ready
log=.venv/setup.log
need_mb=300 # a finished .venv takes about 200 MB

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

[ -r pyproject.toml ] || fail "pyproject.toml cannot be read: restore it with git checkout pyproject.toml"
wanted=$(awk '/^\[/ { installs = /^\[(build-system|project|tool\.setuptools)/ } installs' pyproject.toml | cksum)

identity() { # the version and place of the environment's own interpreter, empty if it does not run
    [ -x .venv/bin/python ] && .venv/bin/python -I -c 'import sys; print(*sys.version_info[:3], sys.prefix, sep=" ")' 2>/dev/null
}

stamp_text() { # $1: the interpreter's identity
    printf '%s\n%s\n%s\n' "$here" "$1" "$wanted"
}

found=$(identity)
fits=no
if [ -f $stamp ] && [ -n "$found" ] && [ "$(sed -n 1,2p $stamp)" = "$(printf '%s\n%s' "$here" "$found")" ]; then
    fits=yes
fi
if [ $fits = yes ] && [ -n "${PYTHON:-}" ]; then # a Python named by hand counts, if it is another version
    named=$("$PYTHON" -I -c 'import sys; print(*sys.version_info[:3], sep=" ")' 2>/dev/null)
    case $found in
        "$named "*) ;;
        *) fits=no ;;
    esac
fi
if [ $fits = yes ] && [ "$(cat $stamp)" = "$(stamp_text "$found")" ]; then
    exit 0
fi

case $here in
    *:*) fail "a virtual environment cannot live under a path with a colon: move this folder ($here) to one without." ;;
esac

free_mb() { # what is left on this disk
    df -kP . | awk 'NR == 2 { print int($4 / 1024) }'
}

full() {
    fail "the disk is full: free about $need_mb MB (df -h . /tmp), then run make setup again."
}

explain() { # $1: what failed; says in one sentence what mends it
    # A full disk may have swallowed the log too.
    if [ "$(free_mb)" -lt 20 ] || grep -qi 'no space left on device\|disk quota exceeded' $log 2>/dev/null; then
        full
    elif grep -qi 'permission denied\|read-only file system' $log 2>/dev/null; then
        fail "this folder cannot be written to: give yourself the right (ls -ld .venv .), then run make setup again."
    elif grep -qi 'name resolution\|newconnectionerror\|connection refused\|network is unreachable\|timed out\|connecttimeout\|proxyerror\|sslerror\|no route to host\|connection broken\|remotedisconnected' $log 2>/dev/null; then
        fail "the package registry cannot be reached: check the network or proxy (.venv/bin/pip config list), then run make setup again."
    fi
    tail -n 12 $log >&2 2>/dev/null
    fail "$1 failed: the whole story is in $log; mend it, then run make setup again."
}

if [ $fits = no ]; then
    python=$(sh scripts/find-python.sh) || exit 1
    printf 'setup: making .venv with %s (once; about a minute)\n' "$python" >&2
    rm -rf .venv || fail "the old .venv cannot be removed: sudo rm -rf .venv, then run make setup again."
    [ "$(free_mb)" -ge $need_mb ] || full
    mkdir .venv 2>/dev/null || fail "this folder cannot be written to: check its owner and the disk (ls -ld . ; df -h .), then run make setup again."
    : >$log || full
    "$python" -m venv .venv >>$log 2>&1 || explain "making the virtual environment"
else
    echo "setup: pyproject.toml asks for something else now: bringing .venv up to date" >&2
    rm -f $stamp
    : >$log
fi

.venv/bin/python -m pip install --disable-pip-version-check --no-input --no-cache-dir --retries 2 --quiet -e '.[dev]' >>$log 2>&1 ||
    explain "installing the packages"

stamp_text "$(identity)" >$stamp || full
echo "setup: ready" >&2
