"""Looks at what DocC made: every public symbol has a comment and stands under a heading.

    docscheck.py SCRATCH ARCHIVE    where the plugin built, and what it made
"""
import glob
import json
import os
import sys

# Types whose members are many enough to need headings of their own; all others are listed by DocC
# by what they are: cases, properties, initializers.
GROUPED = ("tradeledger", "tradeledger/ledger")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def undocumented(graph):
    """Public symbols without a comment. A symbol without a place in the sources is synthesized."""
    for symbol in load(graph)["symbols"]:
        if symbol.get("docComment") or "location" not in symbol:
            continue
        if symbol["kind"]["identifier"] == "swift.extension":
            continue
        place = symbol["location"]
        path = place["uri"].removeprefix("file://")
        line = place["position"]["line"] + 1
        yield f"{os.path.relpath(path)}:{line}: {'.'.join(symbol['pathComponents'])} has no comment"


def ungrouped(archive):
    """Headings that DocC made up for what no page of the catalog names."""
    for name in GROUPED:
        page = load(os.path.join(archive, "data", "documentation", name + ".json"))
        for section in page.get("topicSections", []):
            if section.get("generated"):
                for link in section["identifiers"]:
                    yield f"{link.split('/documentation/')[-1]} stands under no heading of {name}"


def main():
    scratch, archive = sys.argv[1:]
    graphs = glob.glob(
        os.path.join(scratch, "*", "extracted-symbols", "**", "TradeLedger*.symbols.json"),
        recursive=True)
    symbols = sum(len(load(graph)["symbols"]) for graph in graphs)
    if symbols == 0:
        sys.exit("error: no symbol was found; has the plugin moved its symbol graphs?")
    faults = [fault for graph in graphs for fault in undocumented(graph)]
    faults += ungrouped(archive)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(f"error: {len(faults)} faults in the documentation")
    print(f"{symbols} public symbols, each with a comment and under a heading")


if __name__ == "__main__":
    main()
