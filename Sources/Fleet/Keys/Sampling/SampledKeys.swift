/// What was found out about the keys of a sample. Pure.
///
/// Of a name only its path in the ``PrefixTable`` is kept.
struct SampledKeys: Sendable {
  /// Keys that stand in one table of one server: a database of it.
  struct Stratum: Sendable, Equatable {
    /// The same for as long as the process of the server is, and its database.
    let id: String
    /// Keys that it has.
    var keyTotal: Double
    /// Whether each of its keys was looked at.
    var areAllKeys = false
    var database = 0
    /// A key of so many bytes is certain, or left out; nil where large keys are part of the sample.
    var largeBytes: Double?
    /// Whether every key was looked at once to find the large ones.
    var hasWholeCensus = false
    /// Keys that are known by name.
    fileprivate(set) var certainCount = 0

    /// Those that the sample stands for.
    var sampledTotal: Double { max(0, keyTotal - Double(certainCount)) }
  }

  /// A large key that is known by name: nothing about it is estimated.
  struct Certain: Sendable {
    let stratum: Int
    let path: Int32
    let hash: UInt64
    let bytes: Double
    let life: Life
  }

  struct Key: Sendable {
    let window: Int32
    let path: Int32
    /// nil where the server does not say.
    let bytes: Double?
    let life: Life
  }

  enum Life: Sendable, Equatable {
    /// In milliseconds since the epoch, by the server's clock.
    case until(milliseconds: Int64)
    case forever
    case unknown

    /// In milliseconds, some hundred thousand years. PEXPIREAT takes any number, and a server that lies answers with any.
    private static let longest = 1 << 52

    /// - Parameters:
    ///   - left: what PTTL says about a key that is there; nil where it says nothing.
    ///   - now: the server's clock, in milliseconds since the epoch.
    init(_ left: KeyLife?, at now: Int64) {
      switch left {
      case .milliseconds(let left): self = .until(milliseconds: now + Int64(min(left, Self.longest)))
      case .unlimited: self = .forever
      case .gone, nil: self = .unknown
      }
    }
  }

  private(set) var table: PrefixTable
  var strata: [Stratum] = []
  /// The stratum of each window; those that were empty are among them.
  private(set) var windows: [Int] = []
  /// Windows that could not be read wholly.
  private(set) var spoiled: Set<Int32> = []
  private(set) var keys: [Key] = []
  /// Hashes are enough to know a name again, and small.
  private var names: Set<Int> = []

  init(_ template: PrefixTemplate) { table = PrefixTable(template) }

  /// - Parameter stratum: its place in `strata`.
  /// - Returns: the number of the new window.
  mutating func open(in stratum: Int) -> Int32 {
    windows.append(stratum)
    return Int32(windows.count - 1)
  }

  /// Leaves a window out.
  mutating func spoil(_ window: Int32) { spoiled.insert(window) }

  /// Leaves out all windows of a stratum.
  mutating func drop(_ stratum: Int) {
    for window in windows.indices where windows[window] == stratum { spoiled.insert(Int32(window)) }
  }

  private(set) var certain: [Certain] = []
  private var certainHashes: [Set<UInt64>] = []
  /// Large keys that were met and are not known by name: they are left out.
  private(set) var leftOutCount = 0

  /// Takes in what is known of large keys before the sample begins.
  mutating func know(_ known: CertainKeys, in stratum: Int) {
    strata[stratum].largeBytes = known.largeBytes
    strata[stratum].hasWholeCensus = known.isWhole
    while certainHashes.count <= stratum { certainHashes.append([]) }
    for key in known.keys where key.database == strata[stratum].database {
      guard certainHashes[stratum].insert(key.hash).inserted else { continue }
      let path = table.add(key.name, isNew: names.insert(key.name.hashValue).inserted)
      certain.append(
        Certain(stratum: stratum, path: path, hash: key.hash, bytes: key.bytes, life: key.life))
      strata[stratum].certainCount += 1
    }
  }

  /// Whether a key is for those who know it by name.
  private mutating func isCertain(_ name: [UInt8], _ bytes: Double?, _ stratum: Int) -> Bool {
    guard let largeBytes = strata[stratum].largeBytes else { return false }
    let key = KeyName(database: strata[stratum].database, bytes: name)
    if certainHashes[stratum].contains(KeyShare.hash(key)) { return true }
    // Where each key is looked at, none is estimated.
    guard !strata[stratum].areAllKeys, let bytes, bytes >= largeBytes else { return false }
    leftOutCount += 1
    return true
  }

  /// Takes in a key. One of a stratum whose keys are all looked at counts once, however often SCAN returns it.
  mutating func add(_ name: [UInt8], bytes: Double?, life: Life, in window: Int32) {
    let stratum = windows[Int(window)]
    if isCertain(name, bytes, stratum) { return }
    // Other databases may have a key of the same name, and the same one is not more private for it.
    let isNew = names.insert(name.hashValue).inserted
    if strata[stratum].areAllKeys {
      var hasher = Hasher()
      hasher.combine(stratum)
      hasher.combine(name)
      guard met.insert(hasher.finalize()).inserted else { return }
    }
    keys.append(Key(window: window, path: table.add(name, isNew: isNew), bytes: bytes, life: life))
  }

  /// Keys of whole strata.
  private var met: Set<Int> = []

  /// All keys of a stratum were looked at: there are as many as were found.
  mutating func settle(_ stratum: Int) {
    strata[stratum].keyTotal = keys.reduce(Double(strata[stratum].certainCount)) {
      $0 + (windows[Int($1.window)] == stratum ? 1 : 0)
    }
  }
}
