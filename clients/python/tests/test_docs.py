"""The blocks of docs/PYTHON.md that say that this test runs them do what they say."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import unittest
from typing import Any

from support import ROOT, LedgerFile


class DocsTests(unittest.TestCase):
    def test_blocks_run(self) -> None:
        logging.getLogger("tradeledger").setLevel(logging.CRITICAL)
        text = (ROOT / "docs" / "PYTHON.md").read_text(encoding="utf-8")
        blocks = re.findall(r"<!-- not run: clients/python/tests [^>]*-->\n```python\n(.*?)```", text, re.DOTALL)
        self.assertGreaterEqual(len(blocks), 3)
        file = LedgerFile("paper")
        self.addCleanup(file.close)
        file.add_bot()
        names: dict[str, Any] = {}
        before = os.getcwd()
        os.chdir(file.directory)
        self.addCleanup(os.chdir, before)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            for block in blocks:
                exec(compile(block, "docs/PYTHON.md", "exec"), names)
        self.assertRegex(printed.getvalue(), r"\Acooldown 89\d\.\d+ True signal-1\n")
        self.assertIn("signal-1 has its order: 1 filled\n", printed.getvalue())
