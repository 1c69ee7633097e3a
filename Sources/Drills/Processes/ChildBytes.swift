import Subprocess

extension SubprocessOutputSequence.Buffer {
  /// A copy.
  var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
