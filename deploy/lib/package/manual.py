"""Writes redline(1) from what the program says of itself: its flags and its subcommands.

    manual.py PROGRAM EPOCH_SECONDS
"""

import re
import subprocess
import sys
import time


def told(program: str, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    # A line must not begin with what roff takes for a request.
    return "\\&" + text if text[:1] in ".'" else text


def subcommands(program: str) -> list[tuple[str, str]]:
    """`redline word` and the sentence below it, from the end of --help."""
    _, _, text = told(program, "--help").partition("\nSubcommands\n")
    return re.findall(r"^  (redline \S+)\n {8}(.*)$", text, re.MULTILINE)


def flags(program: str) -> list[list[str]]:
    rows = [line for line in told(program, "flags").splitlines() if line.startswith("| `-")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows]


def page(program: str, seconds: int) -> list[str]:
    version = told(program, "--version").split()[1]
    date = time.strftime("%Y-%m-%d", time.gmtime(seconds))
    lines = [f'.TH REDLINE 1 {date} "redline {version}" "User commands"',
             ".SH NAME", "redline \\- exporter and watch over Redis for Prometheus",
             ".SH SYNOPSIS", ".B redline", "[\\fIflags\\fR]", ".br", ".B redline", "\\fIsubcommand\\fR ...",
             ".SH DESCRIPTION",
             "Without a subcommand redline polls one server (\\fB\\-redis.addr\\fR) or a fleet",
             "(\\fB\\-config.file\\fR) and serves what it finds to Prometheus.", ".SH SUBCOMMANDS"]
    for name, text in subcommands(program):
        lines += [".TP", f".B {escaped(name)}", escaped(text)]
    lines += [".SH FLAGS", "Each may be written \\-x, \\-\\-x or \\-\\-x=value, or given as its environment variable."]
    for name, variable, kind, default, meaning in flags(program):
        lines += [".TP", f".B {escaped(name)} \\fR({escaped(kind)}{', default ' + escaped(default) if default else ''})",
                  escaped(meaning)]
        if variable:
            lines += [".br", f"Environment: {escaped(variable)}."]
    lines += [".SH FILES", ".TP", ".I /etc/redline/redline.yml", "What is watched.",
              ".TP", ".I /etc/default/redline", "Flags of the service as environment variables.",
              ".TP", ".I /etc/redline/credentials/", "Passwords: the file NAME is the credential redis_NAME.",
              ".TP", ".I /usr/share/redline/alerts/", "Alert rules and their runbooks.",
              ".TP", ".I /usr/share/redline/advisories/redis.json", "Known faults of Redis and Valkey, for the audit.",
              ".SH SEE ALSO", ".BR systemctl (1),", ".BR prometheus (1)"]
    return lines


if __name__ == "__main__":
    print("\n".join(page(sys.argv[1], int(sys.argv[2]))))
