#!/usr/bin/env python3
"""Writes tradeledger.1 to standard output. From the program's own words: its description of all
commands (--experimental-dump-help) and its pages of help. Called by scripts/package-deb.

    manpage.py PROGRAM
"""
import json
import subprocess
import sys

TOPICS = {"exit-codes": "EXIT STATUS", "environment": "ENVIRONMENT"}


def said(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def escaped(text):
    """Text as roff shows it, letter for letter."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith((".", "'")) else text


def shown(command):
    return [entry for entry in command.get("subcommands", [])
            if entry["shouldDisplay"] and entry["commandName"] != "help"]


def arguments(command):
    return [entry for entry in command.get("arguments", []) if entry["shouldDisplay"]]


def spelling(argument):
    """The names of an argument, as typed."""
    if argument["kind"] == "positional":
        name = "<" + argument["valueName"] + ">"
        return "\\fI" + escaped(name) + "\\fR" + (" ..." if argument["isRepeating"] else "")
    dashes = {"long": "--", "short": "-", "longWithSingleDash": "-"}
    names = ["\\fB" + escaped(dashes[name["kind"]] + name["name"]) + "\\fR"
             for name in argument["names"]]
    value = "" if argument["kind"] == "flag" else " \\fI" + escaped(argument["valueName"]) + "\\fR"
    return ", ".join(names) + value


def described(argument):
    words = argument.get("abstract", "")
    values = argument.get("allValues", [])
    if values and not all(value in words for value in values):
        words += " One of " + ", ".join(values) + "."
    if argument.get("defaultValue"):
        words += f" Default: {argument['defaultValue']}."
    return words.strip()


def list_of(entries):
    lines = []
    for entry in entries:
        lines += [".TP", spelling(entry), escaped(described(entry))]
    return lines


def discussion(text):
    """Prose as it is; what is indented, as typed."""
    lines, is_example = [], False
    for line in text.split("\n"):
        indented = line.startswith("  ")
        if indented != is_example:
            lines.append(".EX" if indented else ".EE")
            is_example = indented
        lines.append(escaped(line) if line.strip() else ".PP" if not indented else "")
    return lines + ([".EE"] if is_example else [])


def section(command, path, common):
    """One command, then its subcommands."""
    words = [*path, command["commandName"]]
    own = [entry for entry in arguments(command)
           if spelling(entry) not in common and spelling(entry) != "\\fB\\-h\\fR, \\fB\\-\\-help\\fR"]
    lines = []
    if arguments(command) and not shown(command):
        lines += [".SS", escaped(" ".join(words)), escaped(command.get("abstract", "")), ".PP"]
        lines += discussion(command.get("discussion", "")) + list_of(own)
    for entry in shown(command):
        lines += section(entry, words, common)
    return lines


def page(program):
    version = said(program, "--version").strip()
    root = json.loads(said(program, "--experimental-dump-help"))["command"]
    common = {spelling(entry) for entry in arguments(root)}
    lines = [f'.TH TRADELEDGER 1 "" "tradeledger {version}" "User Commands"', ".SH NAME",
             "tradeledger \\- a trade ledger that any number of processes share", ".SH SYNOPSIS",
             ".B tradeledger", "\\fIcommand\\fR [\\fIoptions\\fR]", ".SH DESCRIPTION"]
    lines += discussion(root.get("discussion", ""))
    lines += [".SH OPTIONS", "Taken by every command, before its name or after it."]
    lines += list_of(arguments(root)) + [".SH COMMANDS"]
    for entry in shown(root):
        lines += section(entry, [], common)
    for topic, title in TOPICS.items():
        body = said(program, "help", topic).strip("\n").split("\n")[1:]
        lines += [f'.SH "{title}"', ".EX", *(escaped(line) for line in body), ".EE"]
    lines += [".SH SEE ALSO", "/usr/share/doc/tradeledger/, and", ".BR systemd.service (5)."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(sys.argv[1]))
