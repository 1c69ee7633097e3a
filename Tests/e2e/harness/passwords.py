"""Passwords of the web server's users, as its configuration has them."""

import subprocess

from .check import Skipped


def bcrypt_hash(password: str) -> str:
    """A hash made by the C library, in the `$2y$` form that htpasswd writes."""
    made = subprocess.run(["perl", "-e", "print crypt($ARGV[0], '$2y$05$abcdefghijklmnopqrstuu')", password],
                          capture_output=True, text=True, check=False).stdout
    if not made.startswith("$2y$"):
        raise Skipped("no perl with a bcrypt-capable crypt on this machine")
    return made
