import Runtime
import TestSupport
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct CheckReportTests {
  static let now = WallTime(seconds: 1_800_000_000)

  static func report(_ check: String = "backup", lines: [CheckReport.Line] = []) -> CheckReport {
    CheckReport(
      check: check, workload: "carts", startedAt: now - 60, endedAt: now - 1.5, verdict: .finding,
      numbers: ["keys_db0": 141_000, "load_seconds": 12.25, "nothing": .nan], lines: lines)
  }

  @Test func whatIsWrittenIsRead() throws {
    let report = Self.report(lines: [.init(.finding, "0 keys, 141,000 last time"), .init(.ok, "loaded in 12 s")])
    #expect(try CheckReport(json: report.json, now: Self.now) == report)
    #expect(report.numbers["nothing"] == nil)
  }

  @Test func numbersAndLinesMayBeLeftOut() throws {
    let text = #"{"check": "own-check", "workload": "carts", "startedAt": 1, "endedAt": 2, "verdict": "ok"}"#
    let report = try CheckReport(json: Array(text.utf8), now: Self.now)
    #expect(report.numbers.isEmpty && report.lines.isEmpty && report.verdict == .ok)
  }

  @Test func tooManyLinesAreCutAndSaidSo() throws {
    let short = Self.report(lines: .init(repeating: .init(.ok, "x"), count: 700))
    let shortRead = try CheckReport(json: short.json, now: Self.now)
    #expect(shortRead.lines.count == 500 && shortRead.lines.last?.text.hasPrefix("201 more lines") == true)
    let long = Self.report(lines: .init(repeating: .init(.ok, .init(repeating: "\u{e9}", count: 2000)), count: 400))
    #expect(long.json.count < CheckReport.limitBytes && long.json.count > CheckReport.limitBytes - 2000)
    let longRead = try CheckReport(json: long.json, now: Self.now)
    #expect(longRead.lines.last?.verdict == .unknown && longRead.lines[0].text.utf8.count <= 1024)
  }

  /// Each part of a good report, replaced by a bad one, and what is said then.
  @Test(
    arguments: [
      (#""backup""#, #""../etc""#, #"check: "../etc" is no name; use 1 to 63 letters"#),
      (#""check""#, #""chekc""#, #"the result: "chekc" is no field of a result; it has check, workload"#),
      (#""workload":"carts","#, "", "workload is missing"),
      (#""finding""#, #""bad""#, #"verdict: "bad" is no verdict; use one of ok, finding, unknown"#),
      ("1799999940", "1899999940", #"startedAt: "1899999940" lies in the future"#),
      ("1799999940", #""yesterday""#, "startedAt is no time; give seconds since 1970"),
      ("1799999940", "1799999999", "endedAt lies before startedAt"),
      ("keys_db0", "keys/db0", #"numbers: "keys/db0" is no name of a number"#),
      ("141000", #""many""#, "numbers.keys_db0 is no number; write it like 12.5"),
      ("141000", "1e999", "the result is no JSON"),
      (#"{"verdict":"ok","text":"fine"}"#, #""fine""#, "lines[0] is no object"),
      (#"{"verdict":"ok","text""#, #"{"verdict":"good","text""#, #"lines[0].verdict: "good" is no verdict"#),
      (#""text":"fine""#, #""text":5"#, "lines[0].text is no text; say in a sentence"),
    ]) func errorsNameFieldValueAndWhatToDo(part: String, other: String, error: String) throws
  {
    let text = String(decoding: Self.report(lines: [.init(.ok, "fine")]).json, as: UTF8.self)
    #expect(text.contains(part))
    let bad = text.replacing(part, with: other, maxReplacements: 1)
    let found = #expect(throws: IntakeError.self) { try CheckReport(json: Array(bad.utf8), now: Self.now) }
    #expect(found?.description.hasPrefix(error) == true, "\(found as Any)")
  }

  @Test func foreignTextIsBoundedAndOnOneLine() throws {
    let line = CheckReport.Line(.ok, "one\ntwo \u{1B}[31m" + String(repeating: "x", count: 3000))
    let read = try CheckReport(json: Self.report(lines: [line]).json, now: Self.now)
    #expect(read.lines[0].text.hasPrefix("one\u{FFFD}two \u{FFFD}[31m") && read.lines[0].text.utf8.count <= 1024)
    let large = [UInt8](repeating: UInt8(ascii: " "), count: CheckReport.limitBytes + 1)
    #expect(throws: IntakeError.self) { try CheckReport(json: large, now: Self.now) }
  }

  @Test func folderHasWholeFilesOnly() async throws {
    let folder = TemporaryFolder()
    let report = Self.report()
    let file = try await CheckReportFolder.write(report, to: folder.path, random: { 255 })
    #expect(file == "\(folder.path)/backup-carts-1799999998-00000000000000ff.json")
    #expect(SmallFile.names(inDirectory: folder.path, limit: 10).count == 1)
    let bytes = try #require(SmallFile.bytes(file))
    #expect(try CheckReport(json: bytes, now: Self.now) == report)
    await #expect(throws: FileProblem.self) { try await CheckReportFolder.write(report, to: folder.path + "/none") }
    await #expect(throws: FileProblem.self) { try await CheckReportFolder.write(Self.report("../x"), to: folder.path) }
  }
}
