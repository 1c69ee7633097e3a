"""deploy/kubernetes and the Dockerfile, by their structure: neither a cluster nor a container engine is needed."""

import subprocess

import yaml

from harness.check import Check
from harness.paths import REDLINE, ROOT

FOLDER = ROOT / "deploy" / "kubernetes"


def manifests() -> dict[str, dict]:
    """Every object, by its kind; the set has one of each."""
    objects = [object for file in sorted(FOLDER.glob("*.yaml")) for object in yaml.safe_load_all(file.read_text())]
    return {object["kind"]: object for object in objects}


def check_rules_are_those_of_alerts(check: Check) -> None:
    told = subprocess.run([str(FOLDER / "prometheus-rule.py")], capture_output=True, text=True, timeout=20)
    check.equal((told.returncode, told.stderr), (0, ""), "prometheus-rule.py exits")
    check.equal((FOLDER / "prometheus-rule.yaml").read_text(), told.stdout, "prometheus-rule.yaml")
    names = [group["name"] for group in manifests()["PrometheusRule"]["spec"]["groups"]]
    check.equal(len(names), len(set(names)), "names of groups that are the same")


def check_pod_is_restricted(check: Check) -> None:
    """What the pod security standard `restricted` asks for, and a root that is only read."""
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    context, container = pod["securityContext"], pod["containers"][0]
    check.equal((context["runAsNonRoot"], context["seccompProfile"]["type"]), (True, "RuntimeDefault"), "the pod")
    own = container["securityContext"]
    check.equal((own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"], own["capabilities"]),
                (False, True, {"drop": ["ALL"]}), "the container")
    check.that(not pod["automountServiceAccountToken"] and "memory" in container["resources"]["limits"], "token, limit")
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness")}
    check.equal(probes, {"liveness": "/-/healthy", "readiness": "/-/ready"}, "probes")


def check_objects_fit_together(check: Check) -> None:
    found = manifests()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    pod = found["Deployment"]["spec"]["template"]["spec"]
    check.equal(found["Service"]["spec"]["selector"], labels, "the Service's selector")
    check.equal(found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"], labels, "the NetworkPolicy's selector")
    check.equal(found["ServiceMonitor"]["spec"]["selector"]["matchLabels"], found["Service"]["metadata"]["labels"],
                "the ServiceMonitor's selector")
    check.equal(found["ServiceMonitor"]["spec"]["endpoints"][0]["port"], found["Service"]["spec"]["ports"][0]["name"],
                "the ServiceMonitor's port")
    volumes = {volume["name"] for volume in pod["volumes"]}
    check.equal({mount["name"] for mount in pod["containers"][0]["volumeMounts"]}, volumes, "mounted volumes")
    check.that("Secret" not in found, "a Secret is referred to, not written down")


def check_configuration_is_good(check: Check) -> None:
    path = check.file("redline.yml", manifests()["ConfigMap"]["data"]["redline.yml"])
    told = subprocess.run([str(REDLINE), "check-config", str(path)], capture_output=True, text=True, timeout=10)
    check.equal(told.returncode, 0, f"redline check-config exits ({told.stdout}{told.stderr})")


def check_dockerfile(check: Check) -> None:
    """Two stages on Debian slim, a user by number, a health check; every C library of the build is installed."""
    text = (ROOT / "deploy" / "container" / "Dockerfile").read_text()
    for words in ("FROM debian:${DEBIAN}", "USER 65532:65532", "HEALTHCHECK", "org.opencontainers.image.licenses"):
        check.that(words in text, f"the Dockerfile has {words}")
    for line in (ROOT / "Package.swift").read_text().splitlines():
        if 'apt: "' in line:
            name = line.split('apt: "')[1].split('"')[0]
            check.that(name in text, f"the Dockerfile installs {name}")
