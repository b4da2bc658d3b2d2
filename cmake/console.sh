#!/bin/sh
# console.sh: leaves the packages of serving/console/package-lock.json in build/npm/console, each checked
# by the sha512 that is there. 3 when no npm registry is in reach; what was there then stays as it was.
set -eu
cd "$(dirname "$0")/.."
lock=serving/console/package-lock.json
out=build/npm/console
cmp -s $lock $out/node_modules/.pinned && exit 0
echo "fetching the console's packages from the npm registry" >&2
rm -rf $out.new; mkdir -p $out.new
cp serving/console/package.json $lock $out.new/
(cd $out.new && timeout 600 npm ci --ignore-scripts --no-audit --no-fund --fetch-retries 1) \
  </dev/null >build/npm/console.log 2>&1 || {
  ! grep -Eq 'EINTEGRITY|EUSAGE' build/npm/console.log || { cat build/npm/console.log >&2; exit 1; }
  exit 3
}
cp $lock $out.new/node_modules/.pinned
rm -rf $out; mv $out.new $out
