"""deploy/package: what is in it, and that a machine is after a purge as it was before the installation."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

from harness import debian, http
from harness.check import Check, Ended, Skipped, thorough_only
from harness.exposition import Page
from harness.paths import REDLINE, ROOT
from harness.process import Process
from harness.servers import RedisServer

TIMEOUT_SECONDS = 240
# A Debian is fetched and installed in it.
THOROUGH_TIMEOUT_SECONDS = 600


def run(*words: str, seconds: float = 120) -> subprocess.CompletedProcess:
    return subprocess.run(words, capture_output=True, text=True, timeout=seconds)


def built(check: Check) -> str:
    if not REDLINE.exists():
        raise Skipped(f"{REDLINE} is not built")
    told = run(str(ROOT / "deploy" / "package"), "--binary", str(REDLINE))
    check.equal(told.returncode, 0, f"deploy/package exits ({told.stdout}{told.stderr})")
    return told.stdout.splitlines()[-1]


def check_contents(check: Check) -> None:
    """Each part is there, documents are of this program, and the checksums hold."""
    package = built(check)
    tree = check.folder / "tree"
    check.equal(run("dpkg-deb", "--raw-extract", package, str(tree)).returncode, 0, "dpkg-deb unpacks it")
    sums = subprocess.run(["md5sum", "--quiet", "--check", "DEBIAN/md5sums"], cwd=tree, capture_output=True, text=True)
    check.equal((sums.returncode, sums.stdout), (0, ""), "md5sums")
    for alert in (ROOT / "alerts").glob("*.yml"):
        check.equal((tree / "usr/share/redline/alerts" / alert.name).read_bytes(), alert.read_bytes(), alert.name)
    for part in (ROOT / "deploy" / "alertmanager").iterdir():
        check.equal((tree / "usr/share/redline/alertmanager" / part.name).read_bytes(), part.read_bytes(), part.name)
    advisories = tree / "usr/share/redline/advisories/redis.json"
    check.equal(advisories.read_bytes(), (ROOT / "deploy" / "advisories" / "redis.json").read_bytes(), "the advisories")
    for name in ("usr/share/bash-completion/completions/redline", "usr/share/zsh/vendor-completions/_redline",
                 "usr/share/fish/vendor_completions.d/redline.fish"):
        check.that("families" in (tree / name).read_text() and "fleet" in (tree / name).read_text(), f"{name} knows the subcommands")
    bash = run("bash", "-n", str(tree / "usr/share/bash-completion/completions/redline"))
    check.equal((bash.returncode, bash.stderr), (0, ""), "bash reads its completion")
    manual = run("zcat", str(tree / "usr/share/man/man1/redline.1.gz")).stdout
    for words in ("redline check", "REDLINE_CONFIG_FILE", "/etc/redline/redline.yml"):
        check.that(words in manual, f"the manual page has {words}")
    program = str(tree / "usr/bin/redline")
    check.equal(run(program, "--version").returncode, 0, "the stripped program runs")
    text = (tree / "etc/redline/redline.yml").read_text().replace("/usr/share/redline", str(tree / "usr/share/redline"))
    told = run(program, "check-config", str(check.file("redline.yml", text)))
    check.equal(told.returncode, 0, f"the configuration that it brings is good ({told.stdout}{told.stderr})")
    fields = dict(line.split(": ", 1) for line in run("dpkg-deb", "-f", package).stdout.splitlines() if ": " in line)
    check.that(re.match(r"libc6 \(>= ", fields["Depends"]) is not None, f"Depends: {fields['Depends']}")
    depends = {entry.split()[0].partition(":")[0] for entry in fields["Depends"].split(",")}
    owners = {library: debian.owner(path) for library, path in debian.libraries(REDLINE).items()}
    check.that(len(owners) > 8, f"the program loads libraries: {owners}")
    check.none([f"{library} of {owner}" for library, owner in owners.items()
                if owner not in depends | debian.OF_EVERY_DEBIAN], f"libraries that Depends does not bring ({fields['Depends']})")
    sizes = [-(-path.lstat().st_size // 1024) if path.is_file() else 1
             for path in (tree, *tree.rglob("*")) if "DEBIAN" not in path.relative_to(tree).parts]
    check.equal(int(fields["Installed-Size"]), sum(sizes), "Installed-Size is what the files are, wherever they lie")
    check.that(package.endswith(f"redline_{fields['Version']}_{fields['Architecture']}.deb"), f"the name {package}")


def check_is_reproducible(check: Check) -> None:
    first, second = ((pathlib.Path(package).read_bytes(), said(package)) for package in (built(check), built(check)))
    for part, words in first[1].items():
        check.equal(second[1][part], words, f"{part} of two packages of one program")
    check.that(first[0] == second[0], "two packages of one program are the same")


def said(package: str) -> dict[str, str]:
    """What a package says of itself, so that a difference has a name."""
    return {part: run(*words).stdout for part, words in {
        "control": ("dpkg-deb", "--field", package),
        "the list of files": ("dpkg-deb", "--contents", package),
        "the checksums": ("dpkg-deb", "--info", package, "md5sums"),
    }.items()}


def check_lintian(check: Check) -> None:
    if shutil.which("lintian") is None:
        raise Skipped("lintian is not installed")
    told = run("lintian", "--tag-display-limit", "0", "--fail-on", "warning,error", built(check))
    findings = [line for line in told.stdout.splitlines() if re.match(r"[EWI]: ", line)]
    check.none(findings, "what lintian finds")
    check.equal(told.returncode, 0, f"lintian exits ({told.stderr})")


@thorough_only
def check_on_a_fresh_debian(check: Check) -> None:
    """A Debian 12 that has nothing but what apt needs: installed with its dependencies alone, it sees a Redis and is purged."""
    package = built(check)
    root = debian.fresh_root(check)
    inside = check.file("inside", 'set -e; mount -t proc proc "$1/proc"; exec chroot "$@"')

    def words(*command: str) -> list[str]:
        return ["unshare", "--mount", "bash", str(inside), str(root), *command]

    def does(*command: str) -> str:
        told = subprocess.run(words("env", "DEBIAN_FRONTEND=noninteractive", *command), capture_output=True, text=True, timeout=240)
        check.equal(told.returncode, 0, f"{' '.join(command)} exits ({told.stdout[-2000:]}{told.stderr[-2000:]})")
        return told.stdout

    before = set(does("find", "/", "-xdev", "-iname", "*redline*").split())
    shutil.copy(package, root / "redline.deb")
    does("apt-get", "-qq", "update")
    does("apt-get", "-qq", "-y", "--no-install-recommends", "install", "/redline.deb")
    does("redline", "check-config", "/etc/redline/redline.yml")

    redis = RedisServer(check)
    config = root / "etc/redline/redline.yml"
    config.write_text(config.read_text().replace("localhost:6379", f"127.0.0.1:{redis.port}"))
    start = re.search("^ExecStart=(.*)$", (root / "lib/systemd/system/redline.service").read_text(), re.MULTILINE)[1].split()
    # There is no systemd in it, which would make the state's folder and hand over the socket.
    (root / "var/lib/redline").mkdir()
    port = check.free_port()
    flags = [word for word in start if word != "--web.systemd-socket"]
    daemon = Process(check, "redline", words(*flags, f"--web.listen-address=127.0.0.1:{port}"))

    def sees() -> bool:
        if daemon.child.poll() is not None:
            raise Ended(f"redline ended: {daemon.output()[-3000:]}")
        up = Page(http.get(port, "/metrics").text).named("redis_up")
        return [value for series, value in up.items() if ("workload", "local") in series] == [1]

    check.until(sees, 20, "it sees the Redis")
    check.that('"alert' in http.get(port, "/api/v1/rules?type=alert").text, "it judges the alerts of the package")
    daemon.signal(signal.SIGTERM)
    check.equal(daemon.wait(15), 0, "the exit code")

    does("apt-get", "-qq", "-y", "purge", "--auto-remove", "redline")
    (root / "redline.deb").unlink()
    left = set(does("find", "/", "-xdev", "-iname", "*redline*").split()) - before
    check.none(sorted(left), "files that a purge leaves")


def check_life(check: Check) -> None:
    """Installed, removed, installed again and purged, in a root that lies over this machine's."""
    if os.geteuid() != 0:
        raise Skipped("only root can lay a root over this machine's")
    package = built(check)
    place = check.folder / "over"
    place.mkdir()
    script = check.file("life", LIFE)
    told = run("unshare", "--mount", "bash", str(script), str(place), package)
    if told.returncode == 77:
        raise Skipped("this machine cannot mount an overlay")
    check.equal(told.returncode, 0, f"the life of the package ({told.stdout[-3000:]}{told.stderr[-3000:]})")
    left = [line for line in told.stdout.splitlines() if line.startswith("left: ")]
    check.none(left, "files that a purge leaves")
    check.that("purged" in told.stdout, "it went to the end")


# Every step must do what it says; what dpkg itself keeps of any package is its own.
LIFE = r"""
set -euo pipefail
place=$1 package=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$place"
mkdir "$place"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root" || exit 77
cp "$package" "$place/root/redline.deb"
mount -t proc proc "$place/root/proc" && mount -t tmpfs tmpfs "$place/root/run"
in_root() { chroot "$place/root" env DEBIAN_FRONTEND=noninteractive "$@"; }
units=/etc/systemd/system
in_root dpkg -i /redline.deb
in_root redline --version
in_root redline check-config /etc/redline/redline.yml
in_root test -L $units/multi-user.target.wants/redline.service
in_root test -L $units/sockets.target.wants/redline.socket
test "$(in_root stat -c '%a %U' /etc/redline/credentials)" = '700 root'
in_root dpkg --verify redline
echo '# mine' >>"$place/root/etc/redline/redline.yml"
mkdir -p "$place/root/var/lib/private/redline"
touch "$place/root/var/lib/private/redline/redline.db"
in_root dpkg -r redline
in_root grep -q '# mine' /etc/redline/redline.yml
in_root test ! -e /usr/bin/redline
in_root dpkg -i /redline.deb
in_root grep -q '# mine' /etc/redline/redline.yml
in_root dpkg -P redline
rm "$place/root/redline.deb"
cd "$place/upper"
find . -path ./dev -prune -o \( -type f -o -type l \) -print | sed 's,^\.,,' |
  grep -vE '^/var/lib/dpkg/|^/var/log/|^/var/cache/(man|ldconfig|debconf)/|^/etc/ld.so.cache$' | sed 's/^/left: /' || true
find . -iname '*redline*' -not -type c | sed 's/^/left: /'
echo purged
"""
