"""What a check, a watch over keys and a job cost who adds one: a file and a line each, and all else follows."""

import json
import re
import subprocess

from harness.additions import Additions
from harness.captured import static
from harness.check import Check, thorough_only
from harness.exporters import FRESH, Exporter
from harness.servers import RedisServer

TIMEOUT_SECONDS = 600
THOROUGH_TIMEOUT_SECONDS = 3600

CHECK = """
import Metrics

/// A sample: there are members.
struct Sampled: Check {
  let id = "sampled"
  private static let members = Family.gauge("workload_sampled_members", "Members that the sample counts.")
  var families: [Family] { [Self.members] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.add(Self.members, Double(state.up.count))
    if !state.up.isEmpty { verdict.find(.info, "The sample sees \\(state.up.count) members") }
  }
}
"""

SCENARIO = """# Whoever answers is seen.
workload: {kind: custom, topology: static, seeds: ["a:1"]}

at 0s
a:1 down
expect critical

at 5s
a:1 up
  role:master
expect healthy
  info since 5s: The sample sees 1 members
  redis_workload_sampled_members 1
"""

WATCH = """
import Config
import Metrics
import Redis

/// A sample: how long texts are.
struct SampledTexts: KeyWatch, ConfiguredWatch {
  static let block = "sampled_texts"
  static let meaning = "Texts of the sample."

  let isOn: Bool
  let globs: [KeyPattern]

  init(_ fields: WatchFields) {
    isOn = fields.enabled()
    globs = fields.patterns("patterns", default: "sample:*", "Keys that are texts of the sample.")
  }

  struct Findings: KeyFindings, Equatable {
    var byteCount = 0.0
    var omittedCount = 0
  }

  var name: String { Self.block }
  var lost: [String] { ["redis_sampled_bytes"] }

  func begin(_ pass: KeyPass) -> Findings? { Findings() }

  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    replies.isEmpty ? [Command(bytes: [Array("STRLEN".utf8), key])] : []
  }

  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {
    findings.byteCount += replies[0][0]?.double ?? 0
  }

  func summary(of shards: [Findings]) -> Findings {
    shards.reduce(into: Findings()) { $0.byteCount += $1.byteCount }
  }

  func add(_ summary: Findings, to sink: inout SampleSink) { sink.add(Self.bytes, summary.byteCount) }

  static let families = [bytes]
  static let bytes = Family.gauge("sampled_bytes", "Bytes of all texts of the sample.")
}
"""

JOB = """
import Metrics

/// A sample: counts to three.
struct SampledJob: Job {
  let name = "sampled"
  let schedule = JobSchedule.every(seconds: 3600)
  private static let count = Family.gauge("exporter_sampled_count", "How far the sample counted.")
  var families: [Family] { [Self.count] }

  func run(_ context: JobContext) async throws -> [JobReport] { [JobReport(numbers: ["count": 3])] }

  func add(_ reports: [JobReport], into sink: inout SampleSink) {
    sink.add(Self.count, reports.compactMap { $0.numbers["count"] }.reduce(0, +))
  }
}
"""


def add_samples(copy: Additions) -> None:
    """Each is one file and one line: that is what is checked."""
    copy.add_file("Sources/Fleet/Checks/Sampled.swift", CHECK)
    copy.add_line("Sources/Fleet/Checks/CheckCatalogue.swift", "// How it is set up.", "Sampled(),")
    copy.add_file("Sources/Fleet/Keys/Watches/SampledTexts.swift", WATCH)
    copy.add_line("Sources/Fleet/Keys/Watches/KeyWatchCatalogue.swift", "LockWatch.self,", "SampledTexts.self,")
    copy.add_file("Sources/Fleet/Jobs/SampledJob.swift", JOB)
    copy.add_line("Sources/Fleet/Jobs/JobCatalogue.swift", "Retention()", "SampledJob(),")


def check_all_else_follows_from_a_file_and_a_line(check: Check) -> None:
    copy = Additions(check)
    add_samples(copy)
    binary = copy.build()

    def said(*words: str) -> str:
        ended = subprocess.run([binary, *words], capture_output=True, text=True, timeout=30)
        check.equal(ended.returncode, 0, f"{words} exits ({ended.stderr[-400:]})")
        return ended.stdout

    metrics = said("reference", "metrics")
    for name in ("redis_workload_sampled_members", "redis_sampled_bytes", "redis_exporter_sampled_count"):
        check.that(f"`{name}" in metrics, f"the reference of metrics has {name}")
    check.that("sampled_texts" in said("reference", "configuration"), "the reference of the configuration has the watch")

    server = RedisServer(check)
    with server.client() as client:
        client("CONFIG", "SET", "maxmemory", "100mb")
        client("SET", "sample:a", "12345")
        client("SET", "sample:b", "123")
    text = static("carts", server, kind="custom", more=", watches: {interval: 1s, sampled_texts: {patterns: ['sample:*']}}")
    file = check.file("fleet.yml", f"workloads:\n{text}\n")
    check.that("+strlen" in said("acl", "--config.file", file), "the watch's command is among the rights")
    check.that("sampled_texts" in said("check", "config", file, "--print"), "the resolved configuration has the watch")
    results = json.loads(said("check", "fleet", file, "--format", "json"))["results"]
    check.equal([result["verdict"] for result in results if result["check"] == "sampled"], ["finding"], "check fleet")

    exporter = Exporter(check, "redline", str(binary), None, (f"--config.file={file}", FRESH), None, None, True)
    check.until(lambda: exporter.page().value("redis_sampled_bytes", workload="carts") == 8, 20, "the watch has found both texts")
    check.until(lambda: exporter.page().value("redis_exporter_sampled_count") == 3, 20, "the job has run")
    page = exporter.page()
    check.equal(page.value("redis_workload_sampled_members", workload="carts"), 1, "the check's sample")
    check.equal(page.value("redis_finding", workload="carts", check="sampled"), 1, "the check's finding")
    check.that("The sample sees 1 members" in exporter.get("/").text, "the page has the finding")
    check.equal(page.value("redis_exporter_job_runs_total", task="sampled", outcome="succeeded"), 1, "the job's runs")


@thorough_only
def check_the_tests_of_a_copy_take_them_in(check: Check) -> None:
    """The whole of it: what a developer does who adds a check, with its scenario."""
    copy = Additions(check)
    copy.copy_everything()
    add_samples(copy)
    copy.add_file("Tests/FleetTests/Scenarios/sampled.txt", SCENARIO)
    ended = subprocess.run(
        ["swift", "test", "--package-path", copy.folder, "--no-parallel", "--filter", "FleetTests|ConfigTests|APITests|RedlineTests"],
        capture_output=True, text=True, timeout=3000)
    told = [line for line in ended.stdout.splitlines() if "✘" in line or "error:" in line]
    check.equal(ended.returncode, 0, "the end of the copy's tests, which say " + "\n".join(told)[:4000])
    check.that(re.search(r"Test run with [1-9]\d* tests", ended.stdout), f"they ran: {ended.stdout[-300:]}")
