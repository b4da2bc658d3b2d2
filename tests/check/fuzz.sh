#!/bin/sh
# fuzz.sh BUILD SECONDS [TARGET…]: each libFuzzer target for SECONDS, starting from its corpus.
# What a run finds is copied into the corpus, so that every later `./dev test` replays it.
set -eu
build=$1; seconds=$2; shift 2
failed=''
ran=0
for source in tests/fuzz/*.cc; do
  [ -f "$source" ] || break
  target=$(basename "$source" .cc)
  [ $# = 0 ] || echo " $* " | grep -q " $target " || continue
  ran=1
  corpus=tests/fuzz/corpus/$target
  found=$build/found/$target
  grown=$build/grown/$target
  rm -rf "$found"; mkdir -p "$corpus" "$found" "$grown"
  echo "fuzz: $target for $seconds s" >&2
  if "$build/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="$found/" "$grown" "$corpus" >"$build/$target.log" 2>&1; then
    tail -n 1 "$build/$target.log" >&2
  else
    tail -n 40 "$build/$target.log" >&2
    failed="$failed $target"
    for file in "$found"/*; do
      [ ! -f "$file" ] || cp "$file" "$corpus/$(sha1sum < "$file" | cut -c1-40)"
    done
  fi
done
[ $ran = 1 ] || { echo "fuzz: no such target: ${*:-any}" >&2; exit 1; }
[ -z "$failed" ] || { echo "fuzz: findings in$failed, copied to tests/fuzz/corpus" >&2; exit 1; }
echo "fuzz: no findings" >&2
