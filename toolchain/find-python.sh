#!/bin/sh
# Prints a Python that can carry the project: 3.11 or newer, with the extension modules we need. One that can make
# a virtual environment by itself is preferred (Debian's needs a package for that; bootstrap.py knows what to do).
# PYTHON=/path/to/python overrides the search.

oldest='(3, 11)'

fits() {
    "$1" -c "import sys; sys.exit(sys.version_info < $oldest); " 2>/dev/null &&
        "$1" -c "import ctypes, fcntl, sqlite3, ssl, venv, zlib$2" 2>/dev/null
}

candidates=${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}
for more in ', ensurepip' ''; do
    for python in $candidates; do
        if fits "$python" "$more"; then
            command -v "$python"
            exit 0
        fi
    done
done

echo "No suitable Python: need 3.11 or newer with ctypes, sqlite3 and ssl; looked for: $candidates" >&2
for python in $candidates; do
    if command -v "$python" >/dev/null 2>&1; then
        echo "    $python is $("$python" --version 2>&1 | head -n 1)" >&2
    fi
done
echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python" >&2
exit 1
