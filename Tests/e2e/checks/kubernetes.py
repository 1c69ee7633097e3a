"""deploy/kubernetes by schema and structure: no cluster is needed."""

import json
import re
import subprocess

import yaml

from harness import linters
from harness.check import Check
from harness.paths import REDLINE, ROOT, tool

TIMEOUT_SECONDS = 300
FOLDER = ROOT / "deploy" / "kubernetes"
# Objects of the Prometheus Operator: of these kubernetes-validate has no schema.
OPERATOR = {"PrometheusRule", "ServiceMonitor"}
# The oldest that the manifests are for, and the newest that the schemas are of.
VERSIONS = ("1.27", "1.37")
PAIR = ("redline", "redline-b")


def objects() -> list[dict]:
    return [one for file in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(file.read_text())]


def manifests(name: str = "redline") -> dict[str, dict]:
    """The objects of that name by their kind: there are no two of a kind."""
    found = [one for one in objects() if one["metadata"]["name"] == name]
    assert len({one["kind"] for one in found}) == len(found), f"two objects of a kind are called {name}"
    return {one["kind"]: one for one in found}


def check_schemas(check: Check) -> None:
    """No unknown key, no wrong type, in the oldest and in the newest Kubernetes."""
    for version in VERSIONS:
        said = linters.told_by(check, "kubernetes-validate", "--strict", f"--kubernetes-version={version}",
                               *map(str, sorted(FOLDER.glob("*.yaml"))))
        passed = re.findall(r"passed for resource (\w+)/(\S+) against", said)
        expected = [(one["kind"].lower(), one["metadata"]["name"]) for one in objects() if one["kind"] not in OPERATOR]
        check.equal(sorted(passed), sorted(expected), f"objects that were judged by Kubernetes {version}")


def check_objects_of_the_operator(check: Check) -> None:
    """By hand what their schemas ask for; and to Prometheus the rules are a file like another."""
    found = manifests()
    for kind in OPERATOR:
        check.equal((found[kind]["apiVersion"], set(found[kind])), (
            "monitoring.coreos.com/v1", {"apiVersion", "kind", "metadata", "spec"}), kind)
    monitor = found["ServiceMonitor"]["spec"]
    check.equal(set(monitor), {"selector", "endpoints"}, "keys of the ServiceMonitor")
    for endpoint in monitor["endpoints"]:
        check.that(set(endpoint) <= {"port", "interval", "honorLabels"}, f"keys of an endpoint: {endpoint}")
        check.that(isinstance(endpoint["port"], str) and endpoint["honorLabels"] is True
                   and re.fullmatch(r"\d+[smh]", endpoint["interval"]), f"values of an endpoint: {endpoint}")
    rules = found["PrometheusRule"]["spec"]
    check.equal(set(rules), {"groups"}, "keys of the PrometheusRule")
    # The operator takes texts alone as labels and annotations.
    texts = [value for group in rules["groups"] for rule in group["rules"]
             for key in ("labels", "annotations") for value in rule.get(key, {}).values()]
    check.that(texts and all(isinstance(text, str) for text in texts), "labels and annotations are texts")
    path = check.file("rules.yml", json.dumps(rules))
    told = subprocess.run([tool("promtool"), "check", "rules", str(path)], capture_output=True, text=True, timeout=30)
    check.equal(told.returncode, 0, f"promtool check rules exits ({told.stdout}{told.stderr})")


def check_pair_is_alike(check: Check) -> None:
    """The other one differs in its name alone; what Prometheus calls their jobs is what the shipped files call them."""
    one, other = (manifests(name) for name in PAIR)
    check.equal(set(other), {"Deployment", "Service"}, "kinds of the other one")
    for kind, seen in other.items():
        renamed = json.loads(json.dumps(one[kind]).replace('instance": "redline"', 'instance": "redline-b"'))
        renamed["metadata"]["name"] = "redline-b"
        check.equal(seen, renamed, f"the {kind} of the other one")
    jobs = re.findall(r"job_name: (\S+)", (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    check.equal(jobs, [manifests(name)["Service"]["metadata"]["name"] for name in PAIR], "jobs and Services")


def check_one_of_a_pair_stays(check: Check) -> None:
    """Both count for the budget, so that of two one is always there; and they avoid one machine."""
    budget = manifests()["PodDisruptionBudget"]["spec"]
    check.equal(budget["maxUnavailable"], 1, "pods that may be taken away at once")
    for name in PAIR:
        pod = manifests(name)["Deployment"]["spec"]["template"]
        check.that(budget["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items(),
                   f"the budget counts {name}")
        term, = pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        check.equal(term["podAffinityTerm"]["labelSelector"], budget["selector"], f"whom {name} avoids")


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


def check_cron_jobs(check: Check) -> None:
    """Each check of deploy/docs/drills.md has one, as restricted as the daemon; what writes or kills waits until somebody allows it."""
    daemon = manifests()["Deployment"]["spec"]["template"]["spec"]
    jobs = {one["metadata"]["name"]: one for one in objects() if one["kind"] == "CronJob"}
    document = (ROOT / "deploy" / "docs" / "drills.md").read_text()
    names = re.findall(r"^\| `(\w+)` \| `[a-z ]+` \|", document, re.MULTILINE)
    check.equal(sorted(jobs), sorted(f"redline-{name}" for name in names), "CronJobs and checks of the document")
    timers = {path.name for path in (ROOT / "deploy" / "systemd").glob("redline-*@.timer")}
    check.equal(timers, {f"{name}@.timer" for name in jobs}, "timers of systemd")
    for name, job in jobs.items():
        spec = job["spec"]["jobTemplate"]["spec"]
        pod = spec["template"]["spec"]
        container, = pod["containers"]
        check.equal((pod["securityContext"], container["securityContext"]),
                    (daemon["securityContext"], daemon["containers"][0]["securityContext"]), f"{name} is as restricted")
        check.equal((spec["backoffLimit"], job["spec"]["concurrencyPolicy"]), (0, "Forbid"), f"{name} runs once")
        check.that("--url=http://redline:9121" in container["args"], f"{name} hands its result to the Service")
        check.equal({mount["name"] for mount in container["volumeMounts"]}, {volume["name"] for volume in pod["volumes"]},
                    f"mounted volumes of {name}")
        check.equal(job["spec"]["suspend"], name in ("redline-drill", "redline-load"), f"{name} waits to be allowed")
        allowed = manifests()["NetworkPolicy"]["spec"]["ingress"][0]["from"]
        check.that({"podSelector": {"matchLabels": {
            "app.kubernetes.io/name": spec["template"]["metadata"]["labels"]["app.kubernetes.io/name"]}}} in allowed,
            f"{name} may reach redline")


def check_shards(check: Check) -> None:
    """The StatefulSet is as restricted as one Redline, each pod is another shard, and they reach each other."""
    file = FOLDER / "shards" / "shards.yaml"
    found = {one["kind"]: one for one in yaml.safe_load_all(file.read_text())}
    check.equal(set(found), {"StatefulSet", "Service", "NetworkPolicy", "ServiceMonitor"}, "its objects")
    for version in VERSIONS:
        said = linters.told_by(check, "kubernetes-validate", "--strict", f"--kubernetes-version={version}", str(file))
        check.equal(sorted(re.findall(r"passed for resource (\w+)/", said)), ["networkpolicy", "service", "statefulset"],
                    f"objects that were judged by Kubernetes {version}")
    spec = found["StatefulSet"]["spec"]
    pod, one = spec["template"]["spec"], manifests()["Deployment"]["spec"]["template"]["spec"]
    own = {"command", "args", "env"}
    container, = pod["containers"]
    check.equal({key: value for key, value in container.items() if key not in own},
                {key: value for key, value in one["containers"][0].items() if key not in own}, "the container")
    check.equal({key: value for key, value in pod.items() if key not in ("containers", "volumes")},
                {key: value for key, value in one.items() if key not in ("containers", "volumes")}, "the pod")
    volumes = {volume["name"] for volume in pod["volumes"]} | {
        claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
    check.equal({mount["name"] for mount in container["volumeMounts"]}, volumes, "mounted volumes")
    count = next(variable["value"] for variable in container["env"] if variable["name"] == "REDLINE_SHARDS")
    check.equal(count, str(spec["replicas"]), "the number of shards")
    # The shell of the image is dash; what it makes of the pods' names are all shards, each once.
    script = container["args"][0].replace("exec /usr/bin/redline", "echo")
    said = [subprocess.run(["dash", "-c", script], env={"POD_NAME": f"redline-shard-{number}", "REDLINE_SHARDS": count},
                           capture_output=True, text=True, timeout=10).stdout.split()[-1] for number in range(spec["replicas"])]
    check.equal(said, [f"--shard={number}/{count}" for number in range(1, spec["replicas"] + 1)], "the flags of the pods")
    labels = spec["template"]["metadata"]["labels"]
    check.equal((spec["selector"]["matchLabels"], found["Service"]["spec"]["selector"]), (labels, labels), "selectors")
    check.equal(spec["serviceName"], found["Service"]["metadata"]["name"], "the Service of the pods' names")
    check.equal(found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"], labels, "whom the policy is for")
    monitored = found["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items()
    check.that(monitored <= found["Service"]["metadata"]["labels"].items(), "the ServiceMonitor finds the Service")
    shared = manifests()["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items()
    check.that(not shared <= found["Service"]["metadata"]["labels"].items(), "and no other one does, or all would count twice")


def check_objects_fit_together(check: Check) -> None:
    shared = manifests()
    for name in PAIR:
        found = manifests(name)
        labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
        pod = found["Deployment"]["spec"]["template"]["spec"]
        check.equal(found["Deployment"]["spec"]["selector"]["matchLabels"], labels, f"the selector of {name}")
        check.equal(found["Service"]["spec"]["selector"], labels, f"the Service's selector of {name}")
        for kind, selector in (("NetworkPolicy", "podSelector"), ("ServiceMonitor", "selector")):
            wanted = shared[kind]["spec"][selector]["matchLabels"].items()
            check.that(wanted <= found["Service"]["metadata"]["labels"].items() and wanted <= labels.items(),
                       f"the selector of the {kind} takes {name}")
        check.equal(shared["ServiceMonitor"]["spec"]["endpoints"][0]["port"],
                    found["Service"]["spec"]["ports"][0]["name"], "the ServiceMonitor's port")
        volumes = {volume["name"] for volume in pod["volumes"]}
        check.equal({mount["name"] for mount in pod["containers"][0]["volumeMounts"]}, volumes, "mounted volumes")
    check.that("Secret" not in [one["kind"] for one in objects()], "a Secret is referred to, not written down")


def check_configuration_is_good(check: Check) -> None:
    text = manifests()["ConfigMap"]["data"]["redline.yml"]
    path = check.file("redline.yml", text.replace("/usr/share/redline", str(ROOT / "deploy")))
    told = subprocess.run([str(REDLINE), "check-config", str(path)], capture_output=True, text=True, timeout=10)
    check.equal(told.returncode, 0, f"redline check-config exits ({told.stdout}{told.stderr})")
