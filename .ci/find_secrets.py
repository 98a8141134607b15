"""Looks for secrets in the files under version control; `make lint` runs it. Ends with 1 where it finds one.

Shapes that are unmistakable only: guesses by entropy or by the word "password" find nothing here but tests and
documentation. A line that is none after all says so: ``# pragma: allowlist secret``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

SHAPES = (
    "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "JwtTokenDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector",
    "SlackDetector", "StripeDetector",
)  # fmt: skip
NOT_TEXT = {".png", ".svg", ".mmdb", ".gz", ".lzo", ".ico", ".woff2"}
PLACEHOLDER = re.compile(r"://[^/\s]*:(p|password|secret|s3cret|hush|pw|%s|\$\{?\w+\}?|\{[\w.]+\}|\.\.\.)@")
"""Addresses as documentation and tests write them."""


def tracked(folder: Path) -> list[Path]:
    """Files under version control; none where this is no checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, check=False)  # noqa: S607
    names = (name for name in listed.stdout.decode().split("\0") if name)
    return [path for name in names if (path := folder / name).is_file() and path.suffix not in NOT_TEXT]


def found(files: list[Path]) -> list[str]:
    """Each find as ``file:line: what``; the secret itself is not shown."""
    filters = [{"path": "detect_secrets.filters.allowlist.is_line_allowlisted"}]
    with transient_settings({"plugins_used": [{"name": name} for name in SHAPES], "filters_used": filters}):
        seen = SecretsCollection()
        for file in files:
            seen.scan_file(str(file))
    lines = []
    for name, secret in seen:
        text = Path(name).read_text("utf-8", "replace").splitlines()[secret.line_number - 1]
        if not PLACEHOLDER.search(text):
            lines.append(f"{name}:{secret.line_number}: {secret.type}")
    return sorted(lines)


def main(arguments: list[str]) -> int:
    files = [Path(name) for name in arguments] or tracked(Path(__file__).parent.parent)
    if not files:
        sys.stdout.write("secrets: this is no checkout, so there is nothing to look through\n")
        return 0
    finds = found(files)
    for line in finds:
        sys.stdout.write(f"{line}\n")
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
