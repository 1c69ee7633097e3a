import Redis
import Runtime

/// How the members of a workload differ although they should be alike: in settings and in version.
struct Drift: Sendable, Equatable {
  struct Setting: Sendable, Equatable {
    let name: String
    /// Those whose value is not the one that most have; empty where no value is in the majority.
    let odd: [String]
  }

  /// How many settings differ; nil where they are not compared.
  let settingCount: Int?
  /// By name; settings whose name is not known are counted only.
  let settings: [Setting]
  /// In ascending order, where there is more than one.
  let versions: [String]

  static let none = Drift(settingCount: nil, settings: [], versions: [])

  private init(settingCount: Int?, settings: [Setting], versions: [String]) {
    self.settingCount = settingCount
    self.settings = settings
    self.versions = versions
  }

  /// - Parameters:
  ///   - members: those that are up, by instance name.
  ///   - areAlike: whether their settings should be the same; independent servers need not be alike.
  init(_ members: [(instance: String, facts: Shared<MemberFacts>)], areAlike: Bool) {
    let found = Set(members.map { $0.facts.server.valkeyVersion ?? $0.facts.server.version })
    versions = found.count > 1 ? found.sorted().map(\.description) : []
    let digests = members.compactMap { member in member.facts.config.map { (instance: member.instance, digest: $0) } }
    guard areAlike, !digests.isEmpty else {
      (settingCount, settings) = (nil, [])
      return
    }
    let keys = ConfigDrift(digests.map(\.digest)).keys
    settingCount = keys.count
    let named = keys.compactMap { key in
      SettingNames.name(of: key).map { Setting(name: $0, odd: Self.odd(key, digests)) }
    }
    settings = named.sorted { $0.name < $1.name }
  }

  private static func odd(_ key: UInt64, _ digests: [(instance: String, digest: ConfigDigest)]) -> [String] {
    let holders = digests.compactMap { member in
      member.digest.entries.first { $0.key == key }.map { (instance: member.instance, value: $0.value) }
    }
    let groups = Dictionary(grouping: holders, by: \.value).values
    guard let most = groups.max(by: { $0.count < $1.count }), most.count * 2 > holders.count else { return [] }
    return holders.filter { $0.value != most[0].value }.map(\.instance).sorted()
  }

  // MARK: For people

  private static let listed = 12

  /// `maxmemory (on cache-2), save`.
  private var settingList: String {
    let names = settings.prefix(Self.listed).map { setting in
      let odd = setting.odd.prefix(3).joined(separator: ", ")
      return setting.odd.isEmpty ? setting.name : "\(setting.name) (on \(odd)\(setting.odd.count > 3 ? ", …" : ""))"
    }
    let hidden = (settingCount ?? 0) - names.count
    return (names + (hidden > 0 ? ["\(hidden) more"] : [])).joined(separator: ", ")
  }

  var settingText: String? {
    (settingCount ?? 0) > 0 ? "Settings differ between members: \(settingList)" : nil
  }

  var versionText: String? {
    versions.isEmpty ? nil : "Members run different versions: \(versions.joined(separator: ", "))"
  }
}
