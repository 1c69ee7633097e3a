"""deploy/container by linters and by structure, and the lab's container by running what it runs: no engine is needed."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.parse

import yaml

from harness import debian, linters
from harness.check import Check, Skipped
from harness.paths import REDLINE, ROOT, kept, tool
from harness.process import Process

TIMEOUT_SECONDS = 300
FOLDER = ROOT / "deploy" / "container"
COMPOSE = FOLDER / "compose.yaml"
DOCKERFILES = ("Dockerfile", "Dockerfile.lab")
LAB_SECONDS = 90


def check_dockerfiles(check: Check) -> None:
    """hadolint finds nothing. A user by number, a health check and labels; root owns nothing that is run."""
    linters.told_by(check, "hadolint", "--no-color", *(str(FOLDER / name) for name in DOCKERFILES))
    for name in DOCKERFILES:
        text = (FOLDER / name).read_text()
        for words in ("FROM debian:${DEBIAN}", "USER 65532:65532", "HEALTHCHECK", "ENTRYPOINT ["):
            check.that(words in text, f"{name} has {words}")
        for label in ("title", "description", "licenses", "base.name"):
            check.that(f"org.opencontainers.image.{label}=" in text, f"{name} has the label {label}")
        check.none(missing_sources(name), f"what {name} copies and its .dockerignore keeps out, or is not there")
    text = (FOLDER / "Dockerfile").read_text()
    check.that(re.search(r"ln -s usr/bin/redline /redis_exporter$", text, re.MULTILINE), "redis_exporter's name leads to the program")
    check.that(re.search(r"COPY --from=build \S+ /usr/bin/redline$", text, re.MULTILINE), "where the program is")
    for line in (ROOT / "Package.swift").read_text().splitlines():
        if 'apt: "' in line:
            library = line.split('apt: "')[1].split('"')[0]
            check.that(library in text, f"the Dockerfile installs {library}")
    flags = re.search(r"release_flags=\(-c release (.*)\)", (ROOT / "deploy" / "lib" / "build.sh").read_text())[1]
    for flag in re.findall(r"--\S+(?: [^-\s]\S*)?", flags):
        check.that(flag in text, f"the Dockerfile builds with {flag}")


def missing_sources(name: str) -> list[str]:
    allowed = [line[1:] for line in (FOLDER / f"{name}.dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)$", (FOLDER / name).read_text(), re.MULTILINE)
              for word in line.split()[:-1]]
    # What git ignores is in no fresh clone; a pattern may match nothing.
    there = [str(path.relative_to(ROOT)) for path in kept()]
    return [path for path in copied if path.rstrip("*") not in allowed
            or not path.endswith("*") and not any(f"{each}/".startswith(f"{path}/") for each in there)]


def check_image_has_the_libraries(check: Check) -> None:
    """The second stage installs the package of each library that the program loads."""
    text = (FOLDER / "Dockerfile").read_text()
    release = pathlib.Path("/etc/os-release").read_text()
    codename = re.search(r"ARG DEBIAN=(\w+)-slim", text)[1]
    if f"VERSION_CODENAME={codename}" not in release:
        raise Skipped(f"this machine is not Debian {codename}: its libraries have other names")
    libraries = debian.libraries(REDLINE)
    check.that(len(libraries) > 8, f"the program loads libraries: {libraries}")
    installed = set(text.partition("FROM debian:")[2].split()) | debian.OF_EVERY_DEBIAN
    owners = {name: debian.owner(path) for name, path in libraries.items()}
    check.none([f"{name} of {package}" for name, package in owners.items() if package not in installed],
               "libraries that the image lacks")


def check_compose_file(check: Check) -> None:
    """docker-compose takes it. Nothing runs as root, nothing is written outside of volumes, nothing is reached from afar."""
    services = linters.compose(check, COMPOSE)["services"]
    check.equal(sorted(services), ["alertmanager", "grafana", "lab", "prometheus", "redline"], "services")
    complaints = []
    for name, service in services.items():
        def claim(holds: bool, text: str) -> None:
            if not holds:
                complaints.append(f"{name}: {text}")

        claim(re.fullmatch(r"\S+:v?\d+\.\d+\.\d+", service["image"]), f"the image {service['image']} is not of one version")
        claim(service.get("read_only") is True, "its root can be written to")
        claim(service.get("cap_drop") == ["ALL"] and "no-new-privileges:true" in service.get("security_opt", []),
              "it has privileges")
        claim(re.match(r"[1-9]\d*:", service.get("user", "")), "it runs as root, or as whom is not said")
        claim(int(service.get("mem_limit", 0)) > 0, "it has no limit of memory")
        claim("healthcheck" in service or name == "redline", "nobody sees whether it works")
        claim(all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", [])), "others reach it")
        for volume in service.get("volumes", []):
            if volume["type"] == "bind":
                claim(pathlib.Path(volume["source"]).exists(), f"{volume['source']} does not exist")
                claim(volume.get("read_only") is True, f"{volume['source']} can be written to")
        if "build" in service:
            build = service["build"]
            claim((pathlib.Path(build["context"]) / build["dockerfile"]).exists(), f"there is no {build['dockerfile']}")
    check.none(complaints, "services")
    # It shares the lab's network, and has what others call it there.
    check.equal((services["redline"]["network_mode"], services["lab"]["networks"]["default"]["aliases"]),
                ("service:lab", ["redline"]), "Redline's network and name")


def check_services_find_each_other(check: Check) -> None:
    """Every address in a file that a service is given is a service's, and at the port where it listens."""
    services = linters.compose(check, COMPOSE)["services"]
    ports = {name: {port["target"] for port in service.get("ports", [])} for name, service in services.items()}
    ports["redline"] = ports.pop("lab")
    prometheus = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    asked = [target for job in prometheus["scrape_configs"] + prometheus["alerting"]["alertmanagers"]
             for static in job["static_configs"] for target in static["targets"]]
    sources = yaml.safe_load((ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "redline.yml").read_text())
    asked += [urllib.parse.urlsplit(source["url"]).netloc for source in sources["datasources"]]
    check.that(len(asked) == 4, f"addresses: {asked}")
    for address in asked:
        host, _, port = address.partition(":")
        check.that(int(port) in ports.get(host, ()), f"a service is to be found at {address}")
    mounted = {volume["target"]: pathlib.Path(volume["source"]) for service in services.values()
               for volume in service["volumes"] if volume["type"] == "bind"}
    providers = yaml.safe_load((ROOT / "deploy" / "grafana" / "provisioning" / "dashboards" / "redline.yml").read_text())
    for provider in providers["providers"]:
        check.that(list(mounted[provider["options"]["path"]].glob("*.json")), "Grafana gets dashboards where it looks")
    for name in yaml.safe_load(mounted["/etc/alertmanager/alertmanager.yml"].read_text())["templates"]:
        check.that(mounted.get(f"/etc/alertmanager/{name}"), f"Alertmanager gets {name} where it looks")


def check_configurations(check: Check) -> None:
    """Prometheus' file, with the folder of the container in the place of this one's, and the shared Alertmanager's."""
    folder = check.folder / "alerts"
    shutil.copytree(ROOT / "alerts", folder)
    text = (FOLDER / "prometheus.yml").read_text()
    check.that("/etc/prometheus/alerts/" in text, "the rules are where the compose file mounts them")
    path = check.file("prometheus.yml", text.replace("/etc/prometheus/alerts", str(folder)))
    told = subprocess.run([tool("promtool"), "check", "config", str(path)], capture_output=True, text=True, timeout=30)
    check.equal(told.returncode, 0, f"promtool check config exits ({told.stdout}{told.stderr})")
    check.that(re.search(r"[1-9]\d* rules? found", told.stdout) is not None, f"it finds rules ({told.stdout})")


def check_lab_of_the_container(check: Check) -> None:
    """What its entry point does: a lab, a configuration that Redline takes, and nothing left when it is told to end."""
    folder = check.folder / "lab"
    folder.mkdir()
    watched = folder / "watched.yml"
    watched.write_text("of a container that was killed")
    lab = Process(check, "run-lab", [str(FOLDER / "run-lab")], {
        "LAB_DIR": str(folder), "LAB_REDIS_SERVER": tool("redis-server")})
    try:
        check.until(lambda: watched.exists() and "workloads:" in watched.read_text(), LAB_SECONDS, "the lab is up")
        check.that(lab.child.poll() is None, "it stays")
        text = watched.read_text().replace("/usr/share/redline/alerts", str(ROOT / "alerts"))
        path = check.file("watched.yml", text)
        told = subprocess.run([str(REDLINE), "check-config", str(path)], capture_output=True, text=True, timeout=20)
        check.equal(told.returncode, 0, f"redline check-config exits ({told.stdout}{told.stderr})")
        members = [entry for entry in (folder / "processes").iterdir()]
        check.that(len(members) > 15, "servers and their traffic run")
        lab.signal(signal.SIGTERM)
        check.equal(lab.wait(40), 0, f"it ends well ({lab.output()[-1000:]})")
        check.equal(sorted(os.listdir(folder)), ["lock", "ports"], "what is left in the lab's folder")
    finally:
        # Should the entry point fail, its lab goes all the same.
        subprocess.run([str(ROOT / "deploy" / "lab"), "down"], env=os.environ | {"LAB_DIR": str(folder)},
                       capture_output=True, timeout=40)
