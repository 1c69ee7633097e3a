#!/usr/bin/env python3
"""Prints the PrometheusRule of all of alerts/: each group as it is, in the order of the files.

Needs PyYAML. `deploy/kubernetes/prometheus-rule.py > deploy/kubernetes/prometheus-rule.yaml` after a change of a rule.
"""

import pathlib

import yaml

ALERTS = pathlib.Path(__file__).resolve().parents[2] / "alerts"


def manifest() -> str:
    files = sorted(ALERTS.glob("*.yml")) + sorted((ALERTS / "meta").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    rule = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "metadata": {"name": "redline", "labels": {"app.kubernetes.io/name": "redline"}},
            "spec": {"groups": groups}}
    head = "# Generated from alerts/ by prometheus-rule.py: change the rules there.\n"
    return head + yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    print(manifest(), end="")
