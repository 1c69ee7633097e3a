"""What becomes of alerts, and what people are told, when storage fails: a full disk, a read-only one, a broken file.

Alerts go on in each case, with the beginning that they had wherever anything is left that tells of it.
"""

import pathlib
import signal
import sqlite3

from harness import servers
from harness.check import Check
from harness.disk import Disk
from harness.fake_alertmanager import FakeAlertmanager, story
from harness.judging import Judge, workload

TIMEOUT_SECONDS = 150

RULES = """
groups:
- name: storage
  interval: 1s
  rules:
  - {alert: Gone, expr: redis_up == 0, for: 1s}
"""
DURABLE = "redis_exporter_storage_durable"
# The longest pause between two tries, and some.
RETRY_SECONDS = 45


class Site:
    """Two servers, an Alertmanager, and a redline with its storage in a folder that can be trouble."""

    def __init__(self, check: Check, disk: Disk | None = None):
        self.check = check
        self.servers = {name: servers.RedisServer(check) for name in ("first", "second")}
        self.alertmanager = FakeAlertmanager(check)
        # As redline sees it, and as the check does.
        inside, self.folder = (disk.path, disk.folder) if disk else (check.folder, check.folder)
        self.judge = Judge(check, [workload(server, name) for name, server in self.servers.items()], RULES,
                           self.alertmanager.url, storage=f"{inside}/redline.db", prefix=disk.prefix if disk else (),
                           resend="5s")

    def start(self) -> None:
        self.judge.start()
        self.judge.await_samples(count=len(self.servers))

    def breaks(self, name: str) -> None:
        """The server dies, and the Alertmanager hears of it."""
        self.servers[name].process.signal(signal.SIGKILL)
        self.check.until(lambda: self.sent(name), 20, f"the loss of {name} arrives")

    def mends(self, name: str) -> None:
        self.servers[name].restart()
        self.check.until(lambda: not self.sent(name)[-1].is_firing, 40, f"the end of {name} arrives")

    def sent(self, name: str) -> list:
        return [one for one in self.alertmanager.sent() if one.labels["workload"] == name]

    def is_told_again(self, name: str) -> None:
        """From now on, not only before."""
        count = len(self.sent(name))
        self.check.until(lambda: len(self.sent(name)) > count, 20, f"{name} is told of again")

    def one_episode(self, name: str) -> None:
        sent = self.sent(name)
        self.check.equal(len({one.starts_at for one in sent}), 1, f"beginnings of {name}: {story(sent)}")
        firing = [one.is_firing for one in sent]
        self.check.equal(firing, sorted(firing, reverse=True), f"the end of {name} comes last: {story(sent)}")

    def is_durable(self, expected: bool, seconds: float = 20) -> None:
        self.check.until(lambda: self.judge.figure(DURABLE) == expected, seconds,
                         f"{DURABLE} is {int(expected)}: {self.judge.process.output()[-2000:]}")

    def says(self, *words: str) -> None:
        output = self.judge.process.output()
        self.check.that(any(all(word in line for word in words) for line in output.splitlines()),
                        f"no line has {words}: {output[-3000:]}")

    def rows(self, query: str, path: pathlib.Path | None = None) -> list[tuple]:
        with sqlite3.connect(path or self.folder / "redline.db") as database:
            return database.execute(query).fetchall()


def check_full_disk(check: Check) -> None:
    """Memory serves while it is full, the log and a metric say so, and what was meant for it is in it afterwards."""
    disk = Disk(check)
    site = Site(check, disk)
    site.start()
    site.breaks("first")
    site.is_durable(True)
    disk.fill()
    site.breaks("second")
    site.is_durable(False, RETRY_SECONDS)
    site.says("in memory only", "redline.db is tried again", "full")
    site.is_told_again("first")
    disk.free()
    site.is_durable(True, RETRY_SECONDS)
    site.says("redline.db can be written again")
    check.equal(site.rows("PRAGMA integrity_check"), [("ok",)], "the file is whole")
    # What happened while it was full outlives the process now.
    site.judge.kill()
    site.start()
    for name in site.servers:
        site.is_told_again(name)
    for name in site.servers:
        site.mends(name)
        site.one_episode(name)


def check_started_on_a_full_disk(check: Check) -> None:
    """What was kept before is known again, though nothing can be added to it."""
    disk = Disk(check)
    site = Site(check, disk)
    site.start()
    site.breaks("first")
    site.judge.kill()
    disk.fill()
    site.start()
    site.breaks("second")
    site.is_told_again("first")
    site.mends("first")
    site.mends("second")
    disk.free()
    site.is_durable(True, RETRY_SECONDS)
    for name in site.servers:
        site.one_episode(name)


def check_read_only_directory(check: Check) -> None:
    disk = Disk(check)
    disk.make("ro")
    site = Site(check, disk)
    site.start()
    site.is_durable(False)
    site.says("in memory only", "Read-only file system")
    site.breaks("first")
    site.is_told_again("first")
    disk.make("rw")
    site.is_durable(True, RETRY_SECONDS)
    site.says("redline.db can be written again")
    site.judge.kill()
    site.start()
    site.is_told_again("first")
    site.mends("first")
    site.one_episode("first")


def check_read_only_with_alerts(check: Check) -> None:
    """It still reads what it kept before."""
    disk = Disk(check)
    site = Site(check, disk)
    site.start()
    site.breaks("first")
    site.judge.kill()
    disk.make("ro")
    site.start()
    site.is_durable(False)
    site.is_told_again("first")
    site.mends("first")
    site.one_episode("first")


def check_file_removed_under_way(check: Check) -> None:
    """A running daemon has all in memory: it begins another file, with everything in it."""
    site = Site(check)
    site.start()
    site.breaks("first")
    for old in site.folder.glob("redline.db*"):
        if not old.name.endswith(".lock"):
            old.unlink()
    site.breaks("second")
    check.until(lambda: len(site.rows("SELECT * FROM alerts")) == 2, 20, "the new file has both alerts")
    site.is_durable(True)
    site.judge.kill()
    site.start()
    for name in site.servers:
        site.is_told_again(name)
        site.mends(name)
        site.one_episode(name)


def check_file_damaged_before_the_start(check: Check) -> None:
    site = Site(check)
    site.start()
    site.breaks("first")
    site.judge.kill()
    path = site.folder / "redline.db"
    damage(path)
    before = path.read_bytes()
    site.start()
    site.says("could not be used", "set aside as", ".corrupt-", "a new file was made")
    site.is_durable(True)
    check.equal([one.read_bytes() for one in aside(site)], [before], "what was there is kept, byte for byte")
    site.is_told_again("first")
    check.equal([one.is_firing for one in site.sent("first")], [True] * len(site.sent("first")), "it never ended")
    site.mends("first")


def check_foreign_files(check: Check) -> None:
    """What others keep at that path is not touched, whatever it is."""
    database = check.folder / "foreign.db"
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE accounts(name TEXT)")
        other.execute("INSERT INTO accounts VALUES ('precious')")
    site = Site(check)
    text = b"name,amount\nprecious,1\n" * 50
    for content, words in ((database.read_bytes(), "another program"), (text, "not an SQLite")):
        path = site.folder / "redline.db"
        for old in site.folder.glob("redline.db*"):
            old.unlink()
        path.write_bytes(content)
        site.start()
        site.says("could not be used", words, "set aside as")
        site.is_durable(True)
        check.equal([one.read_bytes() for one in aside(site)], [content], "what was there is kept, byte for byte")
        site.judge.kill()


def damage(path: pathlib.Path) -> None:
    """All pages but the first, where the header is, of the file and of its log."""
    for file in (path, path.with_name(path.name + "-wal")):
        if file.exists() and (size := file.stat().st_size) > 4096:
            with open(file, "r+b") as stream:
                stream.seek(4096)
                stream.write(b"\xa5" * (size - 4096))


def aside(site: Site) -> list[pathlib.Path]:
    logs = ("-wal", "-shm", "-journal")
    return [one for one in site.folder.glob("redline.db.corrupt-*") if not one.name.endswith(logs)]
