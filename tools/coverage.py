#!/usr/bin/env python3
"""coverage.py FILE [PATH...]: the table of tools/coverage.sh from gcovr's JSON, and its verdict."""
import collections
import json
import pathlib
import sys

LAYER = 0.90  # of the branches of each layer, and so of all of them
WHOLLY = ("daemon/consent/policy.c", "daemon/log/", "daemon/wire/frame.c")


class Tally:
    def __init__(self):
        self.lines = self.lines_taken = self.branches = self.branches_taken = 0

    def add(self, file):
        for line in file["lines"]:
            if line.get("gcovr/noncode"):
                continue
            self.lines += 1
            self.lines_taken += line["count"] > 0
            for branch in line["branches"]:
                self.branches += 1
                self.branches_taken += branch["count"] > 0

    def missing(self):
        return self.branches - self.branches_taken

    def row(self, name):
        def share(part, whole):
            return f"{100 * part / whole:6.1f} %" if whole else "       -"

        return (
            f"{name:<24} {share(self.lines_taken, self.lines)} {share(self.branches_taken, self.branches)}"
            f" {self.branches_taken:>7} of {self.branches:<7} {self.missing():>6}"
        )


def layer_of(name):
    parts = name.split("/")
    return parts[1] if parts[0] == "daemon" and len(parts) > 2 else parts[0]


def print_missing(files, paths):
    """Worst file first; each line with branches that no test took."""
    chosen = [f for f in files if any(f["file"].startswith(path) for path in paths)]
    for file in sorted(chosen, key=lambda f: -tally_of([f]).missing()):
        tally = tally_of([file])
        if not tally.missing():
            continue
        print(f"\n{file['file']}: {tally.missing()} of {tally.branches} branches not taken")
        source = pathlib.Path(file["file"]).read_text(encoding="utf-8").splitlines()
        for line in file["lines"]:
            taken = sum(b["count"] > 0 for b in line["branches"])
            if taken < len(line["branches"]):
                number = line["line_number"]
                mark = " " if line["count"] else "-"
                print(f"{number:>5}{mark} {taken}/{len(line['branches'])}  {source[number - 1].strip()}")


def tally_of(files):
    tally = Tally()
    for file in files:
        tally.add(file)
    return tally


def main():
    files = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))["files"]
    if len(sys.argv) > 2:
        print_missing(files, sys.argv[2:])
        return 0
    layers = collections.defaultdict(list)
    for file in files:
        layers[layer_of(file["file"])].append(file)
    print(f"{'layer':<24} {'lines':>8} {'branches':>8} {'taken':>18} {'missing':>6}")
    failures = []
    for name in sorted(layers):
        layer = tally_of(layers[name])
        print(layer.row(name))
        if layer.branches_taken < LAYER * layer.branches:
            failures.append(f"less than {100 * LAYER:.0f} % of the branches of {name} were taken")
    for path in WHOLLY:
        chosen = [f for f in files if f["file"].startswith(path)]
        whole = tally_of(chosen)
        print(whole.row(path))
        if whole.missing() or not chosen:
            failures.append(f"{path}: {whole.missing()} branches not taken")
    print(tally_of(files).row("all"))
    for failure in failures:
        print(f"coverage: {failure}; next: tools/coverage.sh build/coverage PATH", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
