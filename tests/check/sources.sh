#!/bin/sh
# The C++ sources of the project, one a line; works in a checkout and in an unpacked archive.
cd "$(dirname "$0")/../.." || exit 1
if git rev-parse --git-dir >/dev/null 2>&1; then
  git ls-files --cached --others --exclude-standard -- '*.h' '*.cc' | while read -r file; do
    if [ -f "$file" ]; then echo "$file"; fi
  done
else
  find . \( -name build -o -name .cache \) -prune -o \( -name '*.h' -o -name '*.cc' \) -print | sed 's|^\./||'
fi | sort
