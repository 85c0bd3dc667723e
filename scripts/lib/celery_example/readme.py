"""Runs the marked blocks of a page, in order, in one shell, and looks at what they print.

The marks are those of Tests/HouseTests/ReadmeTests.swift: `<!-- run -->`, `<!-- run: exit 1 -->`
and `<!-- prints -->`. Words that have a digit may differ; a line `...` stands for any lines, `...`
at the end of a line for any words.
"""

import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^<!-- (?P<mark>run(?:: exit (?P<exit>\d+))?|prints) -->\n```\w+\n(?P<text>.*?)\n```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Command:
    line: int
    text: str
    exit: int
    expected: str | None = None


def commands(page: str) -> list[Command]:
    found: list[Command] = []
    for block in _BLOCK.finditer(page):
        if block["mark"] == "prints":
            found[-1].expected = block["text"]
        else:
            line = page.count("\n", 0, block.start()) + 1
            found.append(Command(line, block["text"], int(block["exit"] or 0)))
    return found


def shell_script(wanted: list[Command]) -> str:
    script = "exec 2>&1\n"
    for number, command in enumerate(wanted):
        # A failure in the middle of a block ends the script, unless it is the one expected.
        strict = "set -e" if command.exit == 0 else "set +e"
        script += f"echo '@@begin {number}'\n{strict}\n{command.text}\necho '@@end {number}' $?\n"
    return script


def run(script: str, limit: float) -> str:
    """What it prints. Into a file: a daemon that keeps a pipe open would keep this waiting."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        shell = subprocess.Popen(["bash", "-c", script], stdout=output, start_new_session=True)
        try:
            shell.wait(limit)
        except subprocess.TimeoutExpired:
            shell.send_signal(signal.SIGKILL)
            shell.wait()
        output.seek(0)
        return output.read()


def normalized(line: str) -> str:
    return " ".join("#" if any(map(str.isdigit, word)) else word for word in line.split())


def matches(expected: str, printed: str) -> bool:
    if expected.endswith(" ..."):
        return normalized(printed).startswith(normalized(expected[:-4]))
    return normalized(expected) == normalized(printed)


def first_missing(expected: str, printed: str) -> str | None:
    """The first line of `expected` that does not come, in this order, among those printed."""
    rest, may_skip = [line for line in printed.split("\n") if line], False
    for line in filter(None, expected.split("\n")):
        if line == "...":
            may_skip = True
            continue
        found = next((at for at, other in enumerate(rest) if matches(line, other)), None)
        if found is None or found > 0 and not may_skip:
            return line
        rest, may_skip = rest[found + 1 :], False
    return None if may_skip or not rest else f"no more than that, but: {rest[0]}"


def faults(wanted: list[Command], output: str) -> list[str]:
    found = []
    for number, command in enumerate(wanted):
        section = re.search(rf"@@begin {number}\n(.*?)@@end {number} (\d+)", output, re.DOTALL)
        if section is None:
            return [*found, f"line {command.line} did not end"]
        if int(section[2]) != command.exit:
            found.append(f"line {command.line} ended with {section[2]}, not with {command.exit}")
        if command.expected is not None:
            missing = first_missing(command.expected, section[1])
            if missing is not None:
                found.append(f"line {command.line} does not print: {missing}")
    return found


def main() -> int:
    page, limit = Path(sys.argv[1]), float(sys.argv[2])
    wanted = commands(page.read_text(encoding="utf-8"))
    output = run(shell_script(wanted), limit)
    shown = output
    for number, command in enumerate(wanted):
        typed = "".join(f"$ {line}\n" for line in command.text.split("\n"))
        shown = shown.replace(f"@@begin {number}\n", typed)
        shown = re.sub(rf"@@end {number} (\d+)\n", "", shown)
    print(shown, end="", flush=True)
    found = faults(wanted, output)
    for fault in found:
        print(f"error: {page}: {fault}", file=sys.stderr)
    if len(wanted) < 8:
        print(f"error: {page}: only {len(wanted)} blocks to run", file=sys.stderr)
        return 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
