"""The checks themselves: each rule finds what it is for and lets the rest through."""
import pathlib
import tempfile
import unittest

import alerts
import deploy
import layers
import lint


def tree(files):
    root = pathlib.Path(tempfile.mkdtemp())
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def found(check, files):
    root = tree(files)
    return [line.split(":")[0] for line in (check(root) if check is layers.violations else check(root, files))]


class Layers(unittest.TestCase):
    def test_including_upwards_is_found(self):
        self.assertEqual(found(layers.violations, {"base/a.h": '#include "state/b.h"\n'}), ["base/a.h"])

    def test_including_own_and_lower_folders_is_fine(self):
        self.assertEqual(found(layers.violations, {"state/a.cc": '#include "state/b.h"\n#include "base/c.h"\n'}), [])

    def test_a_vendor_header_outside_its_fence_is_found(self):
        files = {"state/keys.cc": "#include <rocksdb/db.h>\n", "state/rocks.cc": "#include <rocksdb/db.h>\n"}
        self.assertEqual(found(layers.violations, files), ["state/keys.cc"])


class Lint(unittest.TestCase):
    def test_capturing_lambda_in_co_await_is_found(self):
        files = {"serving/a.cc": "co_await co_spawn(ex, [self = shared()]() -> T { f(); }, use);\n",
                 "serving/b.cc": "co_await co_spawn(ex, serve(std::move(s)), use); x[0] = 1;\n",
                 "serving/c.cc": "auto [ec, n] = co_await http::async_read(s, b, p, use);\nif (b[n]) { f(); }\n"}
        self.assertEqual(found(lint.violations, files), ["serving/a.cc"])

    def test_sleeping_is_found_in_tests_only(self):
        files = {"tests/a.cc": "std::this_thread::sleep_for(1s);\n", "serving/b.cc": "sleep_for(1s);\n"}
        self.assertEqual(found(lint.violations, files), ["tests/a.cc"])

    def test_a_header_that_is_not_the_first_of_its_source_is_found(self):
        files = {"base/a.cc": '#include <map>\n#include "base/a.h"\n', "base/a.h": "", "base/b.cc": '#include "base/b.h"\n',
                 "base/b.h": "", "base/c.cc": "#include <map>\n", "base/d.cc": "", "base/d.h": ""}
        self.assertEqual(found(lint.violations, files), ["base/a.cc", "base/d.cc"])

    def test_any_is_found_in_the_console(self):
        files = {"serving/console/src/a.ts": "const a = b as any;\n", "serving/console/src/b.ts": "let a: unknown;  // any\n",
                 "serving/console/src/c.tsx": "function c(a: any) {}\n", "serving/a.cc": "// as any other\n"}
        self.assertEqual(found(lint.violations, files), ["serving/console/src/a.ts", "serving/console/src/c.tsx"])


class Alerts(unittest.TestCase):
    rule = "  - alert: A\n    expr: a\n    annotations:\n          summary: s\n          runbook: r\n"
    quiet = "- {expr: 'ALERTS{alertname=\"A\", alertstate=\"firing\"}', exp_samples: []}\n"
    fires = quiet.replace("[]", "[{value: 1}]")

    def test_what_is_whole_is_fine(self):
        self.assertEqual(list(alerts.problems(self.rule, self.quiet + self.fires)), [])

    def test_what_is_missing_is_found(self):
        self.assertEqual(list(alerts.problems(self.rule, self.quiet)), ["A is not tested both ways"])
        self.assertEqual(list(alerts.problems(self.rule, self.fires)), ["A is not tested both ways"])
        self.assertEqual(list(alerts.problems(self.rule.replace("runbook", "x"), self.quiet + self.fires)), ["A has no runbook"])
        self.assertEqual(list(alerts.problems("", "")), ["there are no alerts"])


class Deploy(unittest.TestCase):
    node = {"image": "millrace", "build": ".", "environment": {"MILLRACE_NODE_ID": "a"}}
    balancer = "  server a n1:8080\n  server b n2:8080\n  server c n3:8080\n"
    scrape = {"scrape_configs": [{"static_configs": [{"targets": ["n1:8080", "n2:8080", "n3:8080"]}]}]}

    def problems(self, **changes):
        services = {f"n{i}": {**self.node, "environment": {"MILLRACE_NODE_ID": str(i)}} for i in (1, 2, 3)}
        services.update(changes)
        return " ".join(deploy.compose_problems({"services": services, "volumes": {}}, pathlib.Path("."),
                                                self.balancer, self.scrape))

    def test_files_that_agree_are_fine(self):
        self.assertEqual(self.problems(), "")

    def test_what_does_not_fit_is_found(self):
        self.assertIn("the balancer knows", self.problems(n4=self.node))
        self.assertIn("share an id", self.problems(n1=self.node, n2=self.node))
        self.assertIn("depends on", self.problems(other={"image": "x:1", "depends_on": ["nobody"]}))
        self.assertIn("does not exist", self.problems(other={"image": "x:1", "volumes": ["./nothing:/a"]}))
        self.assertIn("has no version", self.problems(other={"image": "x"}))


if __name__ == "__main__":
    unittest.main()
