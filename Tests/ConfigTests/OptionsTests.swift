import TestSupport
import Testing

@testable import Config

@Suite(.timeLimit(.minutes(1))) struct OptionsTests {
  static func options(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Options {
    let invocation = try Invocation.parse(arguments, environment: environment)
    guard case .run(let options) = invocation else { throw Unexpected(invocation: "\(invocation)") }
    return options
  }

  struct Unexpected: Error { let invocation: String }

  // MARK: Syntax

  @Test(arguments: ["-namespace x", "--namespace x", "-namespace=x", "--namespace=x", "-namespace y -namespace=x"])
  func valueIsTaken(line: String) throws {
    #expect(try Self.options(line.split(separator: " ").map(String.init)).export.namespace == "x")
  }

  @Test(arguments: ["", "=true", "=1", "=t", "=T", "=TRUE", "=True"])
  func booleanIsSet(value: String) throws {
    #expect(try Self.options(["-is-cluster\(value)"]).redis.isCluster)
  }

  @Test(arguments: ["=false", "=0", "=f", "=F", "=FALSE", "=False"])
  func booleanIsCleared(value: String) throws {
    #expect(try !Self.options(["--set-client-name\(value)"]).redis.isClientNameSet)
  }

  @Test(arguments: ["-5", "--", "-debug", "a=b"])
  func nextWordIsTheValueWhateverItLooksLike(word: String) throws {
    let options = try Self.options(["-redis.user", word, "-ping-on-connect"])
    #expect(options.redis.user == word)
    #expect(options.redis.isPingSent)
    #expect(options.log.level == .info)
  }

  @Test func equalsSignsAfterTheFirstBelongToTheValue() throws {
    #expect(try Self.options(["-count-keys=db3=a*"]).keys.counts.map(\.text) == ["a*"])
  }

  @Test(arguments: ["-h", "--help", "-debug -help -no-such-flag"])
  func helpWinsOverWhatFollows(line: String) throws {
    let invocation = try Invocation.parse(line.split(separator: " ").map(String.init), environment: [:])
    guard case .help = invocation else { return #expect(Bool(false), "\(invocation)") }
  }

  @Test func versionNeedsNoGoodValues() throws {
    let invocation = try Invocation.parse(["-namespace=1", "--version"], environment: [:])
    guard case .version = invocation else { return #expect(Bool(false), "\(invocation)") }
  }

  // MARK: Precedence and defaults

  @Test func flagBeatsEnvironmentBeatsDefault() throws {
    let environment = ["REDIS_EXPORTER_NAMESPACE": "env", "REDIS_ADDR": "", "REDIS_EXPORTER_DEBUG": "junk"]
    let options = try Self.options(["-namespace=flag", "-debug=false"], environment)
    #expect(options.export.namespace == "flag")
    #expect(options.redis.address == nil)
    #expect(try Self.options([], ["REDIS_EXPORTER_NAMESPACE": "env"]).export.namespace == "env")
    #expect(try Self.options([]).export.namespace == "redis")
  }

  @Test func defaultsAreTyped() throws {
    let options = try Self.options([])
    #expect(options.redis.address == "redis://localhost:6379")
    #expect(options.redis.deadline == .seconds(2))
    #expect(options.redis.password == nil)
    #expect(options.redis.configCommand == "CONFIG")
    #expect(options.redis.tls.identity == nil)
    #expect(options.export.isConfigRedacted && options.export.areEmptyDatabasesIncluded)
    #expect(options.export.areSelfMetricsIncluded && options.export.areLatenciesIncluded)
    #expect(options.keys.isEmpty && options.keys.maxGroups == 100 && options.keys.batchSize == nil)
    #expect(options.keys.dutyRatio == 0.01 && options.keys.interval == .seconds(60))
    #expect(options.web.listenAddress == ListenAddress(host: "", port: 9121))
    #expect(options.web.telemetryPath == "/metrics" && options.web.isScrapeEnabled)
    #expect(options.web.maxAge == .seconds(1) && options.web.maxConnections == 512)
    #expect(options.web.tls == nil && options.web.basicAuth == nil && options.web.scrapeHosts.isEmpty)
    #expect(options.log.level == .info && options.log.format == .txt)
    #expect(options.pollInterval == .seconds(5))
    #expect(options.notices.isEmpty)
  }

  @Test func everyOptionArrives() throws {
    let options = try Self.options([
      "-connection-timeout=15s", "-config-command=-", "-tls-client-cert-file=/c", "-tls-client-key-file=/k",
      "-tls-server-cert-file=/sc", "-tls-server-key-file=/sk", "-tls-server-ca-cert-file=/sa",
      "-tls-server-min-version=tls1.3", "-basic-auth-username=u", "-basic-auth-hash-password=$2y$10$abc",
      "-redis.password-from-file=credential:redis", "-check-key-groups=^(a,b):,\"^(c,d)\"", "-script=/a.lua, /b.lua",
      "-log-level=warning", "-log-format=JSON", "-web.listen-address=[::1]:80", "-redis-only-metrics",
    ])
    #expect(options.redis.deadline == .seconds(15))
    #expect(options.redis.configCommand == nil)
    #expect(options.redis.tls.identity?.certificateFile == "/c" && options.redis.tls.identity?.keyFile == "/k")
    #expect(options.redis.password == .credential("redis"))
    #expect(options.web.tls?.clientAuthoritiesFile == "/sa" && options.web.tls?.minVersion == .tls13)
    guard case .bcryptHash(let hash) = options.web.basicAuth?.password else { return #expect(Bool(false)) }
    #expect(hash.reveal() == "$2y$10$abc")
    #expect(options.keys.groupPatterns == ["^(a", "b):", "^(c,d)"])
    #expect(options.keys.scripts == ["/a.lua", "/b.lua"])
    #expect(options.log.level == .warning && options.log.format == .json)
    #expect(options.web.listenAddress.description == "[::1]:80")
    #expect(!options.export.areSelfMetricsIncluded)
  }

  @Test func debugTakesPrecedenceOverTheLevel() throws {
    #expect(try Self.options(["-debug", "-log-level=ERROR"]).log.level == .debug)
  }

  // MARK: Notices and secrets

  @Test func goRuntimeMetricsAreNoted() throws {
    #expect(try Self.options(["-include-go-runtime-metrics"]).notices.count == 1)
  }

  @Test func passwordOnTheCommandLineIsNotedAndNeverPrinted() throws {
    let options = try Self.options(["-redis.password", "hunter2"], ["REDIS_EXPORTER_BASIC_AUTH_PASSWORD": ""])
    #expect(options.notices.count == 1 && options.notices[0].contains("redis.password"))
    var dumped = ""
    dump(options, to: &dumped)
    #expect(!dumped.contains("hunter2") && !"\(options)".contains("hunter2"))
    #expect(try Self.options([], ["REDIS_PASSWORD": "hunter2"]).notices.isEmpty)
  }

  @Test func whatScrapeNeedsIsSaid() throws {
    let password = ["REDIS_PASSWORD": "hunter2"]
    let others = try #require(try Self.options(["-redis.addr="], password).scrapeNote)
    #expect(others.contains("no target of /scrape gets") && !others.contains("hunter2"))
    let one = try #require(try Self.options([], password).scrapeNote)
    for words in ["redis.addr alone gets", "--scrape.allow", "--redis.password-file"] { #expect(one.contains(words)) }
    #expect(try Self.options(["-tls-client-cert-file=/c", "-tls-client-key-file=/k"]).scrapeNote != nil)
    #expect(try Self.options([]).scrapeNote == nil)
    for flag in ["-scrape.allow=*.internal", "-redis.password-file=/p", "-disable-scrape-endpoint"] {
      #expect(try Self.options([flag], password).scrapeNote == nil)
    }
  }

  // MARK: Errors

  struct BadLine: Sendable, CustomTestStringConvertible {
    let line: String
    let errors: [String]
    var testDescription: String { line }
  }

  static let badLines: [BadLine] = {
    let text = (try? Fixtures.text("flags.bad.txt")) ?? ""
    var cases: [BadLine] = []
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      if line.hasPrefix("> "), let last = cases.popLast() {
        cases.append(BadLine(line: last.line, errors: last.errors + [String(line.dropFirst(2))]))
      } else {
        cases.append(BadLine(line: String(line), errors: []))
      }
    }
    return cases
  }()

  @Test func badLinesWereFound() {
    #expect(Self.badLines.count > 50)
  }

  @Test(arguments: badLines)
  func badLineIsRefused(line: BadLine) throws {
    var words = line.line.split(separator: " ").map(String.init)
    var environment: [String: String] = [:]
    if let end = words.firstIndex(of: "--"), end > 0 {
      for word in words[..<end] {
        let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        environment[halves[0]] = halves[1]
      }
      words.removeFirst(end + 1)
    }
    let error = try #require(throws: ConfigErrors.self) {
      try Invocation.parse(words, environment: environment)
    }
    #expect(error.errors.map(\.description) == line.errors)
    #expect(!error.description.contains("hunter2"))
  }

  @Test func mutatedFlagsNeverCrash() throws {
    var random = FixedRandom(state: 2)
    let words = Flags.all.flatMap { ["-\($0.name)", "--\($0.name)=\($0.defaultText)"] } + Self.badLines.map(\.line)
    let tokens = ["=", "-", "--", ",", "db", "%", "\"", "\u{301}", "9223372036854775808", "1h", "::"]
    for _ in 0..<1_500 {
      let arguments = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        let word = words.randomElement(using: &random)!
        return String(decoding: mutated(Array(word.utf8), tokens: tokens, using: &random), as: UTF8.self)
      }
      let variable = Flags.all.randomElement(using: &random)!.variable ?? "X"
      let value = String(decoding: mutated([], tokens: tokens, using: &random), as: UTF8.self)
      do {
        _ = try Invocation.parse(arguments, environment: [variable: value])
      } catch {
        #expect(!error.errors.isEmpty)
      }
    }
  }
}
