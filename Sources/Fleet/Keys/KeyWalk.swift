import NIOCore
import Redis

/// One walk over the keys of a server: sorts the names that SCAN returns to those who want them. Pure.
struct KeyWalk: Sendable {
  /// A key, and who wants it.
  struct Wanted: Sendable {
    let key: KeyName
    let interests: [KeyPlan.Interest]
  }

  let server: KeyServer
  var runs: [any WatchRun]
  var pace: ScanPace
  var progress: KeyProgress
  private(set) var hasOmittedNames = false
  private var questions: [KeyQuestion] = []

  init(_ runs: [any WatchRun], _ server: KeyServer, pace: ScanPace) {
    (self.runs, self.server, self.pace) = (runs, server, pace)
    progress = KeyProgress(total: server.keyTotal)
  }

  /// Keys of the database come now, or it has none.
  mutating func enter(_ part: KeyPlan.Walk) {
    for run in part.runs { runs[run].enter(part.database) }
  }

  /// Names that somebody wants. A name that stands in a page twice counts once.
  func sort(_ names: [[UInt8]], of part: KeyPlan.Walk) -> [Wanted] {
    var seen: Set<[UInt8]> = []
    return names.compactMap { name in
      let interests = part.interests(in: name)
      guard !interests.isEmpty, seen.insert(name).inserted else { return nil }
      return Wanted(key: KeyName(database: part.database, bytes: name), interests: interests)
    }
  }

  mutating func meet(_ wanted: [Wanted]) {
    for wanted in wanted {
      for interest in wanted.interests where runs[interest.run].meet(wanted.key, matching: interest.matching) {
        questions.append(KeyQuestion(run: interest.run, key: wanted.key))
      }
    }
  }

  /// The questions about the keys that were met since the last time.
  mutating func takeQuestions() -> [KeyQuestion] {
    defer { questions = [] }
    return questions
  }

  /// At least one name was stepped over.
  mutating func omit(_ part: KeyPlan.Walk) {
    hasOmittedNames = true
    for run in part.runs { runs[run].omit(1) }
  }
}

/// A watch asks about a key.
struct KeyQuestion: Sendable {
  /// The watch's place among those of the pass.
  let run: Int
  let key: KeyName

  /// Runs of questions that go out together: neither they, nor the names in them, nor the answers may be too many.
  static func batches(_ questions: [KeyQuestion], _ runs: [any WatchRun]) -> [[KeyQuestion]] {
    var batches: [[KeyQuestion]] = []
    var (limit, bytes) = (0, 0)
    for question in questions {
      let keysAtATime = runs[question.run].watch.keysAtATime
      bytes += question.key.bytes.count
      if let count = batches.last?.count, count < min(limit, keysAtATime), bytes <= KeyWorkLimits.batchNameBytes {
        limit = min(limit, keysAtATime)
        batches[batches.count - 1].append(question)
      } else {
        (limit, bytes) = (keysAtATime, question.key.bytes.count)
        batches.append([question])
      }
    }
    return batches
  }
}

/// A batch of questions, round by round: what is asked next depends on what was answered. Pure.
struct KeyDialogue: Sendable {
  private let questions: [KeyQuestion]
  private var replies: [[[Reply?]]]
  /// Questions that are not answered yet, with the place of each of their commands among those of the round.
  private var open: [(question: Int, places: [Int])]
  /// What is asked in this round.
  private var commands: [Command] = []
  /// What the server refused each run, as an ACL names it.
  private var refused: [Int: Set<String>] = [:]

  init(_ questions: [KeyQuestion]) {
    self.questions = questions
    replies = Array(repeating: [], count: questions.count)
    open = questions.indices.map { ($0, []) }
  }

  /// The commands of the next round; nil at the end.
  mutating func next(_ runs: [any WatchRun]) -> [Command]? {
    var commands: [Command] = []
    // A command that names no key is sent once for all that want its answer.
    var shared: [Command: Int] = [:]
    open = open.compactMap { question, _ in
      let (run, key) = (runs[questions[question].run], questions[question].key)
      let wanted = run.watch.commands(for: key.bytes, after: replies[question], run.pass)
      guard !wanted.isEmpty else { return nil }
      let places = wanted.map { command -> Int in
        if command.arguments.count == 1, let place = shared[command] { return place }
        if command.arguments.count == 1 { shared[command] = commands.count }
        commands.append(command)
        return commands.count - 1
      }
      return (question, places)
    }
    self.commands = commands
    return commands.isEmpty ? nil : commands
  }

  mutating func take(_ answers: [Reply?]) {
    for (question, places) in open {
      replies[question].append(places.map { answers[$0] })
      for place in places where answers[place] == nil {
        refused[questions[question].run, default: []].insert(commands[place].aclName(configCommand: nil))
      }
    }
  }

  /// Hands each watch the answers about each key.
  ///
  /// - Parameter elsewhere: gets those about keys that another node of the cluster has.
  func finish(_ runs: inout [any WatchRun], _ elsewhere: inout [KeyQuestion]) {
    for (run, commands) in refused { runs[run].refuse(commands) }
    for (question, replies) in zip(questions, replies) where !replies.isEmpty {
      if let code = replies[0].first??.errorCode, code == "MOVED" || code == "ASK" { elsewhere.append(question) }
      runs[question.run].note(question.key, replies)
    }
  }
}

/// One answer to SCAN.
struct ScanPage: Sendable, Equatable {
  /// Where to go on; `0` at the end.
  let cursor: [UInt8]
  let names: [[UInt8]]

  init(cursor: [UInt8], names: [[UInt8]]) { (self.cursor, self.names) = (cursor, names) }

  /// - Returns: nil when the reply is not a cursor and a list of names.
  init?(_ reply: Reply) {
    guard let elements = reply.elements, elements.count == 2, let cursor = elements[0]?.bytes, cursor.count <= 20,
      !cursor.isEmpty, cursor.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }), let names = elements[1]?.elements
    else { return nil }
    self.cursor = Array(cursor)
    self.names = names.compactMap { $0.bytes.map { Array($0) } }
  }
}

/// How far a walk has come.
struct KeyProgress: Sendable {
  /// Keys when the walk began, or nil where the server does not tell.
  let total: Double?
  private var scanned = 0.0
  private var toldAt = NIODeadline.now()

  init(total: Double?) { self.total = total }

  var ratio: Double {
    guard let total, total > 0 else { return 0 }
    return min(1, scanned / total)
  }

  /// - Returns: whether it is time to show the progress.
  mutating func note(scanned count: Int, at now: NIODeadline) -> Bool {
    scanned += Double(count)
    guard Double((now - toldAt).nanoseconds) / 1e9 >= KeyWorkLimits.progressSeconds else { return false }
    toldAt = now
    return true
  }
}

/// The elements in runs of at most `count`.
func chunks<Element>(_ elements: [Element], _ count: Int) -> [[Element]] {
  stride(from: 0, to: elements.count, by: count).map { Array(elements[$0..<min($0 + count, elements.count)]) }
}
