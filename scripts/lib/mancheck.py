#!/usr/bin/env python3
"""Whether a page, as man shows it, names every command and option that the program's own help
names. Called by scripts/package-check.

    mancheck.py PROGRAM PAGE
"""
import re
import subprocess
import sys


def help_of(program, words):
    return subprocess.run([program, "help", *words], check=True, capture_output=True,
                          text=True).stdout


def walk(program, words, found):
    """Every command below `words`, with the options of its help."""
    text = help_of(program, words)
    options = set(re.findall(r"^  +(?:-\w, )?(--[\w-]+)", text, re.MULTILINE))
    below = re.findall(r"^  ([\w-]+) {2,}\S|^  ([\w-]+)$",
                       text.split("SUBCOMMANDS:", 1)[-1], re.MULTILINE) \
        if "SUBCOMMANDS:" in text else []
    names = [first or second for first, second in below if (first or second) != "help"]
    if not names:
        found[" ".join(words)] = options
    for name in names:
        walk(program, [*words, name], found)


def main():
    program, path = sys.argv[1:]
    found = {}
    walk(program, [], found)
    with open(path, encoding="utf-8") as file:
        page = re.sub(r".\x08", "", file.read()).replace("\u2010", "-")
    heads = {line.strip() for line in page.splitlines()}
    words = set(re.findall(r"--[\w-]+", page))
    missing = [name for name in found if name not in heads]
    missing += [f"{name} {option}" for name, options in found.items()
                for option in options if option not in words]
    if len(found) < 20 or missing:
        sys.exit(f"error: the man page lacks {missing or 'nearly everything'}")
    print(f"{len(found)} commands, {len(set().union(*found.values()))} options", file=sys.stderr)


if __name__ == "__main__":
    main()
