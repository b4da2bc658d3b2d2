"""Breaks rules of DESIGN.md's *Exactly once*, one at a time, in a copy of the tree, and sees the simulation catch each.

usage: mutants.py ROOT WORK [NAME...]: the copy and its build go to WORK; without names, all. MILLRACE_SEEDS: how many
seeds each gets to be caught by (1000). `--check` for a name: only whether every mutant still has its place."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

# name, the rule that it breaks, file, what stands there once, what shall stand there
MUTANTS = [
    ("offset-before-ack", "the source offset is committed only when everything below it is acknowledged",
     "ingest/settle.cc", "  while (accept_all(batch, acceptor)) {", "  batch.commit();\n  while (accept_all(batch, acceptor)) {"),
    ("offset-without-pages", "one WriteBatch holds the changed pages and `applied`", "state/commit.cc",
     "  batch_.put(keys::kApplied,\n", "  struct Alone {\n    Db& db;\n    void put(std::string_view key, const std::string& row) {\n"
     "      WriteBatch batch;\n      batch.put(key, row);\n      (void)db.write(batch);\n    }\n  } alone{db_};\n  alone.put(keys::kApplied,\n"),
    ("ids-not-kept", "duplicates are kept across restarts", "state/partition_open.cc",
     "duplicates.add(entry.identity, entry.first);", "duplicates.add({}, entry.first);"),
    ("ids-die-with-the-person", "identity is kept apart from the person's pages, so that it survives erasure",
     "processors/apply.cc", "  store_.erase_person(demand.user.value);",
     "  store_.erase_person(demand.user.value);\n  store_.duplicates().set_window(0, 0);\n"
     "  store_.duplicates().set_window(ruleset_.dedupe_ids, ruleset_.dedupe_ms);"),
    ("rules-from-configuration", "apply reads the record and the partition's ruleset, nothing else", "processors/apply.cc",
     "ruleset_ = store_.ruleset();", "ruleset_.types = InteractionTable().names();"),
    ("erasure-not-remembered", "offsets already carried are ignored", "processors/apply.cc",
     "  if (demand.catalog_offset <= applied.carried_catalog_offset) {", "  if (demand.catalog_offset < 0) {"),
    ("log-not-recognised", "if the log was truncated or replaced, refuse loudly", "processors/partition_runner.cc",
     "record_hash(last.front().bytes) != applied.last_record_hash", "last.front().bytes.empty()"),
    ("position-too-early", "what an acknowledged position names is shown by whoever has reached it",
     "processors/publisher.cc", "return known && visible(partition) > offset;",
     "return known && visible(partition) >= offset;"),
    ("failed-commit-forgotten", "a commit that failed is written before any later one", "processors/commit_queue.cc",
     "    failure_ = status.error().detail;\n    changed_.notify_all();\n    return false;",
     "    (void)job->recover();\n    queue_.pop_front();\n    changed_.notify_all();\n    return false;"),
]


def run(command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)


def copy_tree(root, tree):
    names = run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"]).stdout.split("\0")
    for name in filter(None, names):
        source, target = root / name, tree / name
        if not source.is_file() or (target.exists() and target.read_bytes() == source.read_bytes()):
            continue  # what has not changed need not be compiled again
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def build(tree):
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", "--preset", "release", "--target", "simulation_test"]):
        done = run(command, cwd=tree)
        if done.returncode != 0:
            sys.exit(f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}")


def caught_by(tree, seeds):
    """The first line of what the simulation says, or nothing when it is content."""
    done = run([tree / "build/release/tests/simulation_test", "--gtest_filter=Simulation.SomeSeeds"],
               env={**os.environ, "MILLRACE_SEEDS": str(seeds)})
    if done.returncode == 0:
        return None
    said = re.search(r"seed \d+: .*", done.stdout)
    return said.group(0) if said else f"ended with {done.returncode}: {done.stderr[-300:]}"


def main(root, work, names):
    if names == ["--check"]:
        stale = [f"{name}: {file} does not hold this once:\n{old}" for name, _, file, old, _ in MUTANTS
                 if (root / file).read_text().count(old) != 1]
        print("\n".join(stale) or "mutants: every one has its place")
        return len(stale)
    tree = work / "tree"
    seeds = int(os.environ.get("MILLRACE_SEEDS", "1000"))
    copy_tree(root, tree)
    build(tree)
    found = caught_by(tree, 50)
    if found:
        sys.exit(f"the simulation fails without any mutant: {found}")
    missed = 0
    for name, rule, file, old, new in MUTANTS:
        if names and name not in names:
            continue
        text = (tree / file).read_text()
        if text.count(old) != 1:
            sys.exit(f"{name}: {file} does not hold this once, so the mutant is out of date:\n{old}")
        (tree / file).write_text(text.replace(old, new))
        try:
            build(tree)
            found = caught_by(tree, seeds)
        finally:
            (tree / file).write_text(text)
        missed += found is None
        print(f"{name} ({rule}): {found or f'NOT CAUGHT by {seeds} seeds'}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]))
