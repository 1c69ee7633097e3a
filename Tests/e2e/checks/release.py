"""Releases: workflows that GitHub takes, a version that comes from the tag, notes and a bill of materials. Nothing here runs on
GitHub; deploy/docs/releasing.md says what that leaves open."""

import json
import re
import shutil
import subprocess

import yaml

from harness import linters
from harness.check import Check
from harness.paths import REDLINE, ROOT, kept

TIMEOUT_SECONDS = 300
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RELEASE = ROOT / "deploy" / "release"
BUILD_INFO = "Sources/redline/BuildInfo.swift"
IN_A_TREE = r'static let version = "([^"]+)"'


def release(*arguments: str, root=ROOT) -> subprocess.CompletedProcess:
    return subprocess.run([RELEASE, "--root", str(root), *arguments], capture_output=True, text=True, timeout=30)


def steps() -> list[tuple[str, dict]]:
    """Each step of each job, with its place."""
    found = []
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items():
            found += [(f"{path.name}: {name}: {step.get('name', step.get('uses'))}", step) for step in job.get("steps", [])]
    return found


def check_workflows_are_what_github_takes(check: Check) -> None:
    check.equal([path.name for path in WORKFLOWS], ["release.yml", "test.yml"], "workflows")
    schema = ("--builtin-schema", "vendor.github-workflows")
    linters.told_by(check, "check-jsonschema", *schema, *map(str, WORKFLOWS))
    # The schema sees what is wrong.
    broken = check.file("broken.yml", WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on:", "run-on:"))
    told = subprocess.run([linters.linter("check-jsonschema"), *schema, str(broken)], capture_output=True, text=True, timeout=60)
    check.equal(told.returncode, 1, "check-jsonschema of a broken workflow exits")


def check_steps(check: Check) -> None:
    """Scripts that bash can read, files that are there, others' actions by commit, no text of an event within a script."""
    complaints = []
    tracked = {str(path.relative_to(ROOT)) for path in kept()}
    for place, step in steps():
        script = step.get("run", "")
        read = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=10)
        complaints += [f"{place}: {read.stderr.strip()}"] if read.returncode else []
        complaints += [f"{place}: an expression within a script"] if "${{" in script else []
        complaints += [f"{place}: there is no {path}"
                       for path in re.findall(r"(?<![\w./-])(?:deploy|Tests)/[\w./-]*\w", script) if path not in tracked]
        if "uses" in step and not re.search(r"@[0-9a-f]{40}$", step["uses"]):
            complaints.append(f"{place}: {step['uses']} may change under its name")
    check.that(len(steps()) > 12, "steps")
    check.none(complaints, "steps")


def check_workflows_know_the_project(check: Check) -> None:
    """The build's image is the Dockerfile's, both architectures are built, and nothing may write that need not."""
    swift = re.search(r"ARG SWIFT=(\S+)", (ROOT / "deploy" / "container" / "Dockerfile").read_text())[1]
    complaints = []
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        check.equal(workflow["permissions"], {"contents": "read"}, f"rights of {path.name} that no job asks for")
        for name, job in workflow["jobs"].items():
            container = job.get("container", {})
            image = container if isinstance(container, str) else container.get("image")
            complaints += [f"{path.name}: {name} builds in {image}"] if image not in (None, f"swift:{swift}") else []
            complaints += [f"{path.name}: {name} has no limit of time"] if "uses" not in job and "timeout-minutes" not in job else []
            if "strategy" in job:
                built = [one["architecture"] for one in job["strategy"]["matrix"]["include"]]
                complaints += [f"{path.name}: {name} is for {built}"] if built != ["amd64", "arm64"] else []
    check.none(complaints, "jobs")
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    for words in ("--sbom=true", "SHA256SUMS", "--verify-tag", "deploy/release sbom", "deploy/package"):
        check.that(words in text, f"release.yml has {words}")


def check_the_version_is_in_one_place(check: Check) -> None:
    """The program's is that of the sources and of the newest released part of CHANGELOG.md; what is deployed names no other."""
    version = re.search(IN_A_TREE, (ROOT / BUILD_INFO).read_text(encoding="utf-8"))[1]
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    check.equal(headings[:2], ["Unreleased", version], "the first headings of CHANGELOG.md")
    images = [(path.name, named) for path in sorted((ROOT / "deploy").rglob("*.yaml"))
              for named in re.findall(r"(?:image: redline(?:-lab)?:|VERSION: )(\S+)", path.read_text(encoding="utf-8"))]
    check.that(len(images) == 10, f"images of Redline that are deployed: {images}")
    check.none([f"{name}: {named}" for name, named in images if named != version], "images of another version")
    told = subprocess.run([REDLINE, "--version"], capture_output=True, text=True, timeout=20).stdout
    check.equal(told.split()[:2], ["redline", version], "redline --version")


def check_the_version_comes_from_the_tag(check: Check) -> None:
    place = check.folder / "project"
    (place / BUILD_INFO).parent.mkdir(parents=True)
    shutil.copy(ROOT / BUILD_INFO, place / BUILD_INFO)
    (place / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 9.8.7, 2031-02-03\n\n- It sings.\n\n## 9.8.6\n\n- Old.\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--message", "a", "--date", "@0 +0000")):
        subprocess.run(["git", *words], cwd=place, check=True, capture_output=True, timeout=20)
    for tag, version in (("v9.8.7-rc.2", "9.8.7-rc.2"), ("v9.8.7", "9.8.7")):
        told = release("stamp", tag, root=place)
        check.equal(told.returncode, 0, f"deploy/release stamp {tag} exits ({told.stderr})")
        text = (place / BUILD_INFO).read_text()
        check.equal(re.search(IN_A_TREE, text)[1], version, "the version")
        check.that(re.search(r'static let commit = "[0-9a-f]{40}"', text), "the commit")
        check.that(re.search(r'static let date = "20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"', text), "its time")
        check.equal(release("notes", tag, root=place).stdout, "- It sings.\n", f"the notes of {tag}")
    for tag, words in (("9.8.7", "names no version"), ("v9.8", "names no version"), ('v9.8.7"; run()', "names no version"),
                       ("v9.9.0", "CHANGELOG.md says nothing of 9.9.0")):
        told = release("stamp", tag, root=place)
        check.that(told.returncode == 1 and words in told.stderr, f"what {tag} gives: {told.stderr}")
    check.equal(re.search(IN_A_TREE, (place / BUILD_INFO).read_text())[1], "9.8.7", "the version after tags that were refused")


def check_bill_of_materials(check: Check) -> None:
    """It is CycloneDX, and names every library that is linked into the program or loaded by it."""
    # Of a package that is quickly made; package.py says what Depends of the real one names.
    control = check.folder / "tree" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text("Package: redline\nVersion: 9.8.7~rc.1\nArchitecture: arm64\nMaintainer: a <a@example.org>\n"
                       "Depends: libc6 (>= 2.36), libmicrohttpd12 (>= 0.9.75), init-system-helpers | b, libsqlite3-0\nDescription: a\n")
    package = str(check.folder / "redline.deb")
    told = subprocess.run(["dpkg-deb", "--build", str(control.parents[1]), package], capture_output=True, text=True, timeout=30)
    check.equal(told.returncode, 0, f"dpkg-deb exits ({told.stdout}{told.stderr})")
    printed = release("sbom", package)
    check.equal(printed.returncode, 0, f"deploy/release sbom exits ({printed.stderr})")
    linters.told_by(check, "python3", "-c", (
        "import sys\nfrom cyclonedx.schema import SchemaVersion\nfrom cyclonedx.validation.json import JsonStrictValidator\n"
        "error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())\nsys.exit(error and str(error))"),
        str(check.file("bill.json", printed.stdout)))
    bill = json.loads(printed.stdout)
    named = {one["name"]: one["version"] for one in bill["components"] if "version" in one}
    pins = json.loads((ROOT / "Package.resolved").read_text(encoding="utf-8"))["pins"]
    check.that(len(pins) > 8, "packages of Swift")
    check.none([pin["identity"] for pin in pins if named.get(pin["identity"]) != pin["state"]["version"]], "packages that it lacks")
    libraries = {one["name"] for one in bill["components"] if "version" not in one}
    check.equal(libraries, {"libc6", "libmicrohttpd12", "init-system-helpers", "libsqlite3-0"}, "packages of Debian")
    itself = bill["metadata"]["component"]
    check.equal((itself["name"], itself["version"]), ("redline", "9.8.7~rc.1"), "what it is the bill of")
    check.equal(printed.stdout, release("sbom", package).stdout, "the bill of the same package")
