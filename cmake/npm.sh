#!/bin/sh
# npm.sh NAME…: leaves npm packages in build/npm/NAME, of the versions and sha512 of npm.txt beside this
# file. 3 when no npm registry is in reach; what was there then stays as it was.
set -eu
cd "$(dirname "$0")/.."
for name in "$@"; do
  line=$(grep "^$name " cmake/npm.txt)
  # shellcheck disable=SC2086 # name, version, sha512
  set -- $line
  out=build/npm/$name
  [ "$(cat "$out.pinned" 2>/dev/null)" != "$line" ] || continue
  rm -rf "$out" "$out.pinned" "$out.new"; mkdir -p "$out.new"
  echo "fetching $1 $2 from the npm registry" >&2
  timeout 300 npm pack --silent --fetch-retries 1 --pack-destination "$out.new" "$1@$2" \
    </dev/null >build/npm/npm.log 2>&1 || { rm -rf "$out.new"; exit 3; }
  echo "$3  $out.new/$1-$2.tgz" | sha512sum -c --quiet - >&2
  tar -xzmf "$out.new/$1-$2.tgz" -C "$out.new"  # m: as new as they are here, for the build's sake
  mv "$out.new/package" "$out"; rm -rf "$out.new"
  echo "$line" > "$out.pinned"
done
