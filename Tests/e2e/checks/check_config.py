"""What a start refuses, `redline check config` refuses beforehand, in the same words."""

import subprocess

from harness.check import Check
from harness.paths import REDLINE, ROOT

TIMEOUT_SECONDS = 60

FLEET = "workloads: [{name: w, kind: cache, seeds: ['127.0.0.1:1']}]\n"
ALERTMANAGERS = "alerting:\n  alertmanagers: [{url: 'http://127.0.0.1:1'}]\n"
RULE = "groups: [{name: g, rules: [{alert: A, expr: '%s'}]}]\n"

# The configuration, the flags and a word of what is wrong.
REFUSED = [
    ("rules: {files: [alerts/*.yml]}\n", (), "matches no file"),
    ("rules: {files: [good.yml, other.yml]}\n", (), "other.yml: cannot be read"),
    ("rules: {files: [bad.yml]}\n", (), 'unknown function "rte"'),
    ("rules: {files: [good.yml], dialect: 2.x}\n", (), "10m"),
    (ALERTMANAGERS + "  relabel: [{action: drop, source_labels: [a], regex: '(b'}]\n", (), "no regular expression"),
    ("nonsense: 1\n", (), "nonsense"),
    ("", ("--redis.password-from-file=absent",), "contradicts config.file"),
    ("", ("--redis.password-file=absent.json",), "contradicts config.file"),
    ("", ("--web.config.file=absent.web",), "absent.web"),
    ("", ("--tls-server-cert-file=absent.pem", "--tls-server-key-file=absent.key"), "absent"),
    ("", ("--web.cors.origin=(a",), "web.cors.origin"),
    ("", ("--script=absent.lua",), "contradicts config.file"),
    ("", ("--redis.pasword=x",), "redis.pasword"),
]


def asked(check: Check, *words: str) -> tuple[int, str]:
    told = subprocess.run([str(REDLINE), *words], cwd=check.folder, capture_output=True, text=True, timeout=20)
    return told.returncode, told.stderr.removeprefix("redline: ")


def check_refuses_what_a_start_refuses(check: Check) -> None:
    check.file("good.yml", RULE % "redis_up * 10m > 1")
    check.file("bad.yml", RULE % "rte(redis_up[1m]) > 1")
    for number, (text, flags, word) in enumerate(REFUSED):
        path = check.file(f"{number}.yml", text + FLEET)
        status, problem = asked(check, "check", "config", str(path), *flags)
        check.equal(status, 1, f"check config of {text} {flags} exits ({problem})")
        check.that(word in problem, f"it names {word}: {problem}")
        started, told = asked(check, f"--config.file={path}", "--web.listen-address=127.0.0.1:0", *flags)
        check.that(started != 0, f"a start with {text} {flags} is refused")
        # Before it there may be lines of the log.
        check.that(problem in told, f"a start says the same of {text} {flags}: {told}")


def check_takes_what_a_start_takes(check: Check) -> None:
    check.file("good.yml", RULE % "redis_up * 10m > 1")
    path = check.file("redline.yml", f"rules: {{files: [good.yml, '{ROOT}/alerts/*.yml']}}\n{ALERTMANAGERS}{FLEET}")
    status, problem = asked(check, "check", "config", str(path), "--log-level=DEBUG")
    check.equal((status, problem), (0, ""), "a good configuration with a flag")
