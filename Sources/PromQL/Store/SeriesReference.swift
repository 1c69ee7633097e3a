/// A series of a ``SeriesStore``, found without its labels. It stays good for as long as the series is there.
public struct SeriesReference: Sendable, Hashable {
  let slot: UInt32
  let generation: UInt32
}

/// Who appends samples that share their times: a target, a rule group, a loaded file.
///
/// A series belongs to one origin at a time, from its first sample there until its end or the origin's.
public struct SeriesOrigin: Sendable, Hashable {
  let slot: UInt32
  let generation: UInt32
}
