/// An evaluation of a group of rules.
public struct RecordedEvaluation: Sendable, Equatable {
  public let file: String
  public let group: String
  public let timeMilliseconds: Int64
  /// Places of alerting rules; nil for all rules of the group.
  public let places: Set<Int>?

  public init(file: String, group: String, timeMilliseconds: Int64, places: Set<Int>?) {
    self.file = file
    self.group = group
    self.timeMilliseconds = timeMilliseconds
    self.places = places
  }

  private static let textLimit = 4096
  private static let placeLimit = 10_000

  func write(to output: inout ByteWriter) {
    output.add(file)
    output.add(group)
    output.add(signed: timeMilliseconds)
    output.add((places?.count ?? -1) + 1)
    for place in (places ?? []).sorted() { output.add(place) }
  }

  init(_ input: inout ByteReader) throws(RecordingDamage) {
    file = try input.string(upTo: Self.textLimit)
    group = try input.string(upTo: Self.textLimit)
    timeMilliseconds = try input.signed()
    let count = try input.count(upTo: Self.placeLimit) - 1
    var places: Set<Int> = []
    for _ in 0..<max(0, count) { places.insert(try input.count(upTo: Self.placeLimit)) }
    self.places = count < 0 ? nil : places
  }
}
