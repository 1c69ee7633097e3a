/// The times that an origin's series share, and which series those are.
struct OriginState: Sendable {
  /// So many slots are sealed at once.
  static let slotsPerBlock = 240

  /// The times of the slots since the last block was sealed.
  var times: [Int64] = []
  var newestMilliseconds = Int64.min
  /// The series that belong to it: all that live, and those that ended within the block.
  var members: [UInt32] = []
  var isOpen = true
  var generation: UInt32 = 0
}
