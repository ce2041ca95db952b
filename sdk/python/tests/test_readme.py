"""What people copy out of the README has been run."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

README = Path(os.environ["LEADGATE_TEST_SDK"], "python/README.md")
FIRST, SECOND = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)


def test_the_first_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FIRST)
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_the_program() -> None:
    exec(compile(SECOND, "README.md", "exec"), {})
