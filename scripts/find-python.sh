#!/bin/sh
# Print the newest Python that really works here: 3.11 or later, able to make a virtual environment.
#
# A name on the path proves nothing: version managers put stubs there that fail when run, and Debian ships
# Python without its venv module. So each candidate is run. PYTHON, if set, is the only candidate.
# Prints its path on stdout and returns 0; else says on stderr, in one sentence, what mends it, and returns 1.
set -u

probe='
import sys
if sys.version_info < (3, 11):
    print("old")
else:
    try:
        import ensurepip, venv
    except ImportError:
        print("no-venv %d.%d" % sys.version_info[:2])
    else:
        print("ok %s" % sys.executable)
'

if [ -n "${PYTHON:-}" ]; then
    candidates=$PYTHON
else
    candidates='python3.13 python3.12 python3.11 python3 python'
fi

without_venv=
IFS_before=$IFS
[ -n "${PYTHON:-}" ] && IFS=
for candidate in $candidates; do
    IFS=$IFS_before
    answer=$("$candidate" -I -c "$probe" 2>/dev/null) || continue
    case $answer in
        "ok "*)
            printf '%s\n' "${answer#ok }"
            exit 0
            ;;
        "no-venv "*)
            [ -n "$without_venv" ] || without_venv=${answer#no-venv }
            ;;
    esac
done

if [ -n "$without_venv" ]; then
    echo "Python $without_venv is here but cannot make virtual environments: sudo apt-get install -y python$without_venv-venv" >&2
elif [ -n "${PYTHON:-}" ]; then
    echo "PYTHON=$PYTHON is no working Python 3.11 or later: name one that is, or leave PYTHON out." >&2
else
    echo "No working Python 3.11 or later was found: sudo apt-get install -y python3 python3-venv, or name yours with make PYTHON=/path/to/python3" >&2
fi
exit 1
