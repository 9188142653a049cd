"""Run the python blocks of a Markdown file in order, in one process: ``readme_blocks.py README.md``."""

import re
import sys
from pathlib import Path


def main(path: str) -> None:
    """Run the blocks; each sees the names of those before it."""
    blocks = re.findall(r"^```python\n(.*?)^```", Path(path).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if not blocks:
        sys.exit(f"{path} has no python block")
    names: dict = {"__name__": "__main__"}
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"{path}, python block {number}", "exec"), names)


if __name__ == "__main__":
    main(sys.argv[1])
