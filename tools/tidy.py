#!/usr/bin/env python3
"""clang-tidy over the sources that a build knows; a file that passed is not looked at again.

usage: tools/tidy.py BUILD [FILE or FOLDER...]

BUILD holds compile_commands.json (any preset).  Generated sources are left out.  What passed is
remembered in build/tidy/ under a digest of everything the result depends on: the version and
configuration of clang-tidy, the compile command, the source and the project's headers it includes.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "tidy"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.M)
# The commands may be gcc's: clang says so of warnings that it does not have.
EXTRA = ["--quiet", "--extra-arg=-Wno-unknown-warning-option"]


@functools.lru_cache(maxsize=None)
def includes(path):
    return INCLUDE.findall(path.read_bytes())


def sources_of(source, folders):
    """The source and every header of the project that it includes, directly or not."""
    seen, waiting = set(), [source]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in includes(path):
            for folder in [path.parent, *folders]:
                header = folder / name.decode()
                if header.is_file():
                    waiting.append(header.resolve())
                    break
    return sorted(seen)


def digest_of(entry, source, settings):
    words = shlex.split(entry["command"])
    folders = [pathlib.Path(w[2:]) for w in words if w.startswith("-I")]
    digest = hashlib.sha256(settings)
    digest.update(entry["command"].encode())
    for path in sources_of(source, folders):
        digest.update(str(path).encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def check(build, source, mark):
    run = subprocess.run(["clang-tidy", "-p", build, *EXTRA, source], capture_output=True, text=True)
    if run.returncode == 0 and not run.stdout.strip():
        mark.touch()
        return ""
    return run.stdout or run.stderr


def main():
    build = pathlib.Path(sys.argv[1])
    wanted = {pathlib.Path(f).resolve() for f in sys.argv[2:]}
    CACHE.mkdir(parents=True, exist_ok=True)
    settings = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    for file in [ROOT / ".clang-tidy", *sorted(ROOT.glob("*/.clang-tidy"))]:
        settings += file.read_bytes()
    jobs = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if (ROOT / "build") in source.parents:
            continue
        if wanted and not wanted.intersection([source, *source.parents]):
            continue
        mark = CACHE / digest_of(entry, source, settings)
        if not mark.exists():
            jobs[source] = mark
    findings = set()  # a header is included by many: each finding once
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(lambda j: check(str(build), str(j[0]), j[1]), jobs.items()):
            lines = re.findall(r"^\S+: (?:error|warning): .*$", text, re.M) or [text] * bool(text)
            for line in sorted(set(lines) - findings):
                print(line.replace(f"{ROOT}/", ""), flush=True)
            findings.update(lines)
    return bool(findings)


sys.exit(main())
