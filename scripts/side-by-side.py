#!/usr/bin/env python3
"""Runs test programs side by side, as many as there are processors, and says what each said when it ends.

  scripts/side-by-side.py [--only PACKAGE]... [--first NAME]... [--alone NAME]... CARGO OPTIONS [-- OPTIONS OF EACH PROGRAM]

`--only` runs the programs of these packages alone. Cargo builds all that its own options name: a choice made there (`-p`)
would build dependencies once more, with other features. `--first` names the programs that take longest, so that no
processor waits for the last one; `--alone` those that look at what is due at a moment, and run with nothing beside them
(`--alone all`: each). Most tests wait for other programs; those of one program still run in that program, by its own options.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time


def parse(words):
    """What is named, cargo's options, and those of each program."""
    named = {"--only": [], "--first": [], "--alone": []}
    while words and words[0] in named and len(words) > 1:
        named[words[0]].append(words[1])
        words = words[2:]
    cut = words.index("--") if "--" in words else len(words)
    return named, words[:cut], words[cut + 1 :]


def programs(cargo):
    """What cargo built: name, program, and the folder of its package, where cargo would run it."""
    command = ["cargo", "test", "--no-run", "--message-format=json-render-diagnostics", *cargo]
    built = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if built.returncode != 0:
        sys.exit(built.returncode)
    found = []
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") != "compiler-artifact" or not message["profile"]["test"]:
            continue
        if message.get("executable"):
            folder = os.path.dirname(message["manifest_path"])
            found.append((message["target"]["name"], message["executable"], folder))
    return found


class Running:
    """One program, and what it says."""

    def __init__(self, name, program, folder, options):
        self.name = f"{os.path.basename(folder)}: {name}"
        self.said = tempfile.TemporaryFile()
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [program, *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=subprocess.STDOUT,
        )

    def show(self):
        """True where it passed."""
        passed = self.process.returncode == 0
        self.said.seek(0)
        seconds = time.monotonic() - self.begun
        print(f"     Ran {self.name} in {seconds:.0f} s", flush=True)
        sys.stdout.buffer.write(self.said.read())
        sys.stdout.flush()
        self.said.close()
        return passed


def main():
    named, cargo, options = parse(sys.argv[1:])
    only, first = named["--only"], named["--first"]
    waiting = [p for p in programs(cargo) if not only or f"siaga-{os.path.basename(p[2])}" in only]
    alone = [name for name, _, _ in waiting] if named["--alone"] == ["all"] else named["--alone"]
    order = {name: at for at, name in enumerate(first)}
    order.update({name: len(first) + 1 for name in alone})
    unknown = set(first + alone) - {name for name, _, _ in waiting}
    if unknown or not waiting:
        sys.exit(f"side-by-side: no such test program: {', '.join(sorted(unknown)) or 'none at all'}")
    waiting.sort(key=lambda one: order.get(one[0], len(first)))
    running, failed = [], []

    def stop(number, _frame):
        for one in running:
            one.process.terminate()
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while waiting or running:
        # Those that run alone are the last.
        while waiting and len(running) < (1 if waiting[0][0] in alone else os.cpu_count() or 1):
            running.append(Running(*waiting.pop(0), options))
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        for one in [r for r in running if r.process.poll() is not None]:
            running.remove(one)
            if not one.show():
                failed.append(one.name)
    for name in failed:
        print(f"side-by-side: failed: {name}", file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
