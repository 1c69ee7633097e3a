"""Pipes that nobody reads, files that hang, parts that stand still: what is not affected goes on, and says what is."""

import fcntl
import os
import re
import signal
import subprocess

from harness import exporters
from harness.captured import Captured, static, watching
from harness.check import Check
from harness.hung import HaltedThread, hung_folder
from harness.paths import REDLINE

TIMEOUT_SECONDS = 60
DROPPED = "redis_exporter_log_dropped_lines_total"


def sent_count(server: Captured) -> int:
    return server.counts.get("INFO", 0)


def goes_on(check: Check, server: Captured, text: str) -> None:
    before = sent_count(server)
    check.until(lambda: sent_count(server) > before + 2, 10, text)


def is_up(exporter: exporters.Exporter, workload: str) -> bool:
    return re.search(rf'^redis_up\{{[^}}]*workload="{workload}"[^}}]*\}} 1$', exporter.get().text, re.M) is not None


def pipe_for_log(check: Check):
    """A pipe of 4 KiB as standard error, and the words of the program that makes it that."""
    path = check.folder / "stderr"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, 1031, 4096)  # F_SETPIPE_SZ
    check.closing.callback(lambda: os.close(reader))
    return reader, ("sh", "-c", f'exec "$0" "$@" 2>{path}')


def check_log_that_nobody_reads(check: Check) -> None:
    """Polls, pages and reloads go on; once somebody reads, the lines come in order, and one says what is missing."""
    reader, prefix = pipe_for_log(check)
    server = Captured(check)
    exporter = watching(check, static("a", server), prefix=prefix)
    config = check.folder / "redline.yml"
    good = config.read_text()
    # Fifty errors a line: the queue is soon full.
    config.write_text("workloads:\n" + "  - {name: '', kind: none, seeds: ['::1']}\n" * 50)
    for _ in range(200):
        check.equal(exporter.get("/-/reload").status, 500, "a reload of a bad file")
    goes_on(check, server, "polls go on while nobody reads the log")
    check.equal(exporter.get("/-/healthy").status, 200, "the health while nobody reads the log")
    dropped = exporter.page().value(DROPPED)
    check.that(dropped > 0, f"{DROPPED} is {dropped}")
    config.write_text(good)

    text = bytearray()

    def told() -> bool:
        try:
            while piece := os.read(reader, 65536):
                text.extend(piece)
        except BlockingIOError:
            pass
        return b"log lines were dropped" in text

    check.until(told, 20, "a line tells of those that were dropped")
    lines = text.decode().splitlines()
    times = [line.split()[0] for line in lines]
    check.equal(times, sorted(times), "the order of the lines")
    check.none([line[:200] for line in lines if not line.startswith("time=")], "lines that are torn")


def check_end_with_a_log_that_nobody_reads(check: Check) -> None:
    _, prefix = pipe_for_log(check)
    exporter = watching(check, static("a", Captured(check)), prefix=prefix)
    for _ in range(100):
        exporter.get("/-/reload")
    exporter.signal(signal.SIGTERM)
    check.equal(exporter.wait(10), 0, "the exit code")


def check_log_that_is_closed(check: Check) -> None:
    """Nobody is at the other end from the first line on, or the stream is not even open."""
    server = Captured(check)
    for word, shell in {"closed pipe": 'exec "$0" "$@" 2>&1 | true', "closed stream": 'exec "$0" "$@" 2>&-',
                        "full device": 'exec "$0" "$@" 2>/dev/full'}.items():
        exporter = watching(check, static("a", server), prefix=("sh", "-c", shell), wait=False)
        check.until(lambda exporter=exporter: exporter.get("/-/healthy").status == 200, 10, f"{word}: it serves")
        goes_on(check, server, f"{word}: it polls")
        # Where the shell is still there, the daemon is its child.
        with open(f"/proc/{exporter.pid}/task/{exporter.pid}/children", encoding="utf-8") as file:
            for child in file.read().split():
                os.kill(int(child), signal.SIGTERM)


def check_subcommand_whose_reader_is_gone(check: Check) -> None:
    status = subprocess.run(["bash", "-c", f"{REDLINE} reference configuration | true; echo ${{PIPESTATUS[0]}}"],
                            capture_output=True, text=True, check=True)
    check.equal(status.stdout.strip(), "0", "the exit code of a subcommand whose reader is gone")
    check.equal(status.stderr, "", "its words")


def check_no_dump_of_secrets(check: Check) -> None:
    """Even where dumps are asked for, a crash leaves none."""
    server = Captured(check)
    exporter = watching(check, static("a", server), prefix=("sh", "-c", 'ulimit -c unlimited; exec "$0" "$@"'))
    limits = open(f"/proc/{exporter.pid}/limits", encoding="utf-8").read()
    size = re.search(r"Max core file size\s+(\S+)\s+(\S+)", limits)
    check.that(set(size.groups()) <= {"0", "1"}, f"the limit of dumps is {size.groups()}")


def fifo(check: Check, name: str) -> str:
    path = check.folder / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return str(path)


def check_start_with_a_pipe_for_a_file(check: Check) -> None:
    """Every option that names a file: a FIFO is refused, with its name, and nobody waits."""
    path = fifo(check, "pipe")
    server = Captured(check)
    config = check.file("good.yml", f"workloads:\n{static('a', server)}\n")
    rules = check.file("rules.yml", f"workloads:\n{static('a', server)}\nrules: {{files: ['{path}']}}\n")
    tls = check.file("web.yml", f"tls_server_config: {{cert_file: '{path}', key_file: '{path}'}}\n")
    cases = [f"--config.file={path}", f"--config.file={rules}", f"--redis.password-from-file={path}",
             f"--redis.password-file={path}", f"--script={path}", f"--web.config.file={path}", f"--web.config.file={tls}"]
    for flag in cases:
        more = () if "config.file" in flag and "web" not in flag else (f"--config.file={config}",)
        address = None if more == () or "password" not in flag and "script" not in flag else server.url
        exporter = exporters.redline(check, address, flag, *(() if address else more), wait=False)
        check.that(exporter.wait(12) != 0, f"{flag}: it did not start")
        check.that("FIFO, not a regular file" in exporter.output(), f"{flag}: {exporter.output()[-400:]}")
        check.that(path in exporter.output(), f"{flag} is named: {exporter.output()[-400:]}")


def hang_up_once(server: Captured) -> None:
    def answer(_words):
        del server.answers["INFO"]
        raise ConnectionAbortedError

    server.answers["INFO"] = answer


def check_password_that_cannot_be_read(check: Check) -> None:
    """The workload whose password is a pipe is told as such and not knocked at; the last good password stays."""
    path = fifo(check, "password")
    first, second = Captured(check), Captured(check)
    exporter = watching(check, static("a", first, more=f', credentials: {{password_file: "{path}"}}') + "\n"
                        + static("b", second))
    check.until(lambda: is_up(exporter, "b"), 10, "the other workload is polled")
    check.until(lambda: "FIFO" in exporter.get("/").text, 10, "the page says why the first is not")
    check.that(not is_up(exporter, "a") and first.logins == [] and sent_count(first) == 0, "nobody logs in without it")

    os.unlink(path)
    check.file("password", "hunter2\n")
    check.until(lambda: is_up(exporter, "a"), 20, "the password is read once it is there")
    fifo(check, "password")
    logins = len(first.logins)
    hang_up_once(first)
    check.until(lambda: len(first.logins) > logins, 20, "it logs in again")
    check.equal(set(map(tuple, first.logins)), {(b"hunter2",)}, "the passwords of all logins")
    check.until(lambda: "its previous content stays in force" in exporter.output(), 5, "the log tells of it")
    check.that(exporter.output().count("its previous content stays in force") == 1, "once")
    page = exporter.page()
    check.that(page.value("redis_exporter_file_failures_total", file=path) > 0, "failures are counted")


def check_hung_mount(check: Check) -> None:
    """Files on a mount that answers nobody, of every kind and from the start."""
    folder = hung_folder(check)
    servers = [Captured(check) for _ in range(4)]
    workloads = [static("a", servers[0], more=f', credentials: {{password_file: "{folder}/password"}}'),
                 static("b", servers[1]),
                 static("c", servers[2], more=f', tls: {{ca_file: "{folder}/ca.pem"}}'),
                 static("d", servers[3], more=f', credentials: {{password_file: "{folder}/other"}}')]
    runbooks = f"rules: {{files: ['{check.folder}/rules.yml'], runbooks: '{folder}/runbooks'}}\n"
    check.file("rules.yml", "groups: [{name: g, rules: [{alert: Up, expr: redis_up}]}]\n")
    exporter = watching(check, "\n".join(workloads), more=runbooks)
    check.until(lambda: is_up(exporter, "b"), 15, "the workload without such files is polled")
    goes_on(check, servers[1], "it goes on")
    # A page that needs such a file comes without it; the others come at once.
    check.that(exporter.get("/runbooks", seconds=25).status in (200, 404), "the page of runbooks")
    for path in ("/-/healthy", "/", "/metrics"):
        response = exporter.get(path)
        check.that(response.status == 200 and response.seconds < 2, f"{path}: {response.status} after {response.seconds:.1f} s")
    # The configuration itself moves there.
    config = check.folder / "redline.yml"
    config.rename(check.folder / "kept.yml")
    config.symlink_to(f"{folder}/redline.yml")
    goes_on(check, servers[1], "it goes on without its configuration")
    response = exporter.get("/-/reload", seconds=25)
    check.that(response.status == 500 and "did not answer" in response.text or "has not answered" in response.text,
               f"the reload: {response.status} {response.text[:200]}")
    goes_on(check, servers[1], "it goes on after the reload")
    exporter.signal(signal.SIGTERM)
    check.equal(exporter.wait(12), 0, "the exit code")


def check_health_names_what_stands_still(check: Check) -> None:
    """One event loop is halted: the answer names it at once whenever it is asked for, and the health comes back."""
    exporter = watching(check, static("a", Captured(check)))
    check.until(lambda: is_up(exporter, "a"), 10, "the server is polled")
    check.equal(exporter.get("/-/healthy").text.strip(), "ok", "the health of a healthy daemon")
    thread = HaltedThread(check, exporter.pid, r"NIO-ELT-\d+-#1")
    bad = check.until(lambda: (lambda answer: answer.status == 503 and answer)(exporter.get("/-/healthy")), 20,
                      "the health is bad")
    check.that("event loop" in bad.text and " s" in bad.text, f"the answer: {bad.text!r}")
    check.that(bad.seconds < 2, f"the answer took {bad.seconds:.1f} s")
    check.equal(exporter.get("/health").status, 503, "the other path")
    thread.resume()
    check.until(lambda: exporter.get("/-/healthy").status == 200, 10, "the health is good again")
