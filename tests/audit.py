"""Known vulnerabilities of the locked dependencies, by pip-audit: `make audit`.

python -m tests.audit PROGRAM FILE...

A file is skipped, by name, where the database of vulnerabilities cannot be reached.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OLD_ON_PURPOSE = {
    "oldest.txt": "the oldest versions that setup.cfg allows; pip installs newer ones",
    "wheels.txt": "the pins of another vendor's SDK, which only the tests install",
}
"""Files whose vulnerabilities are shown and do not fail the check, and why."""

_UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "NameResolutionError", "ProxyError")


def audit(program: str, file: Path) -> int:
    """Print what pip-audit finds in a requirements file. Return 1 where the check fails, else 0."""
    command = [program, "--format", "json", "--progress-spinner", "off", "--disable-pip", "--require-hashes"]
    done = subprocess.run([*command, "--requirement", str(file)], capture_output=True, text=True, check=False)
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        if any(word in done.stderr for word in _UNREACHABLE):
            print(f"skipped: pip-audit {file}: its database cannot be reached: {last}")
            return 0
        print(f"pip-audit {file} failed: {last}")
        return 1
    audited = [found for found in dependencies if "vulns" in found]
    skipped = [found["name"] for found in dependencies if "vulns" not in found]
    if not audited:
        print(f"skipped: pip-audit {file}: its database has none of the packages")
        return 0
    if skipped:
        print(f"skipped: pip-audit {file}: not in its database: {', '.join(skipped)}")
    vulnerable = [found for found in audited if found["vulns"]]
    for found in vulnerable:
        for vulnerability in found["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version"
            print(f"{file}: {found['name']} {found['version']}: {vulnerability['id']}, fixed in {fixed}")
    reason = OLD_ON_PURPOSE.get(file.name)
    if vulnerable and reason:
        print(f"{file}: not a failure: {reason}")
    if not vulnerable:
        print(f"{file}: no known vulnerability (packages audited: {len(audited)})")
    return int(bool(vulnerable) and not reason)


def main(arguments: Sequence[str]) -> int:
    """Audit every file, also after one that fails."""
    program, *files = arguments
    return max([audit(program, Path(file)) for file in files])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
