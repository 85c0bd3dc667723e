"""Runs a program on a terminal of its own and tells what it showed.

    terminal.py COLUMNS ROWS SCRIPT PROGRAM ARGUMENTS...

SCRIPT has one step a line: `wait TEXT` until it stands on the screen, `size COLUMNS ROWS`,
`key X`, `signal NUMBER`, `run ARGUMENTS` of the same program on the same ledger. Prints JSON: the
screen after each wait and at the end, all that was sent, the exit code as a shell has it, whether the terminal's
settings are as they were.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata


class Screen:
    """As much of a terminal as is used here: home, clear to the end of line and screen, CR LF."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells, self.row, self.column = [""] * rows, 0, 0
        self.rest = ""

    def feed(self, text):
        text = self.rest + text
        self.rest = ""
        position = 0
        while position < len(text):
            character = text[position]
            if character == "\x1b":
                found = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])").match(text, position)
                if not found:
                    self.rest = text[position:]
                    return
                self.control(*found.groups())
                position = found.end()
                continue
            if character == "\r":
                self.column = 0
            elif character == "\n":
                self.row += 1
                if self.row >= self.rows:
                    raise SystemExit("the screen scrolled")
            else:
                line = self.cells[self.row].ljust(self.column)
                # A wide one takes two columns.
                shown = character
                if unicodedata.east_asian_width(character) in "WF":
                    shown += "\0"
                end = self.column + len(shown)
                self.cells[self.row] = line[: self.column] + shown + line[end:]
                self.column = end
                if self.column > self.columns:
                    raise SystemExit("a line is too long")
            position += 1

    def control(self, arguments, letter):
        if letter == "H" and arguments == "":
            self.row = self.column = 0
        elif letter == "K" and arguments == "":
            self.cells[self.row] = self.cells[self.row][: self.column]
        elif letter == "J" and arguments == "":
            self.cells[self.row] = self.cells[self.row][: self.column]
            for row in range(self.row + 1, self.rows):
                self.cells[row] = ""
        elif letter not in "mhl":
            raise SystemExit(f"unknown control {arguments}{letter}")

    def resize(self, columns, rows):
        self.cells = [line[:columns] for line in (self.cells + [""] * rows)[:rows]]
        self.columns, self.rows = columns, rows
        self.row = min(self.row, rows - 1)

    def lines(self):
        return [line.rstrip().replace("\0", "") for line in self.cells]


def main():
    columns, rows = int(sys.argv[1]), int(sys.argv[2])
    command = sys.argv[4:]
    gate_read, gate_write = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        os.read(gate_read, 1)
        os.execvp(command[0], command)
    size = lambda: fcntl.ioctl(
        terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    size()
    before = termios.tcgetattr(terminal)
    os.write(gate_write, b"x")
    screen, raw, screens, after = Screen(columns, rows), "", [], None

    def pump(seconds):
        nonlocal raw
        if not select.select([terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(terminal, 65536)
        except OSError:
            return False
        text = data.decode()
        raw += text
        screen.feed(text)
        return bool(data)

    for step in sys.argv[3].split("\n"):
        word, _, rest = step.partition(" ")
        if word == "wait":
            deadline = time.monotonic() + 20
            while not any(rest in line for line in screen.lines()):
                if time.monotonic() > deadline or not pump(0.05):
                    raise SystemExit(f"never on the screen: {rest}\n" + "\n".join(screen.lines()))
            screens.append(screen.lines())
        elif word == "size":
            columns, rows = map(int, rest.split())
            screen.resize(columns, rows)
            size()
        elif word == "key":
            os.write(terminal, rest.encode())
        elif word == "signal":
            os.kill(child, int(rest))
        elif word == "run":
            done = subprocess.run(
                command[:3] + rest.split(), stdin=subprocess.DEVNULL, capture_output=True)
            if done.returncode != 0:
                raise SystemExit(done.stderr.decode())
    deadline = time.monotonic() + 20
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        pump(0.02)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            raise SystemExit("it does not end")
    after = termios.tcgetattr(terminal)
    while select.select([terminal], [], [], 0)[0] and pump(0):
        pass
    screens.append(screen.lines())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps({
        "screens": screens, "raw": raw, "status": status if status >= 0 else 128 - status,
        "isRestored": after == before}))


main()
