import Glibc

/// `nobody`, as whom a program runs that reads files which may be hostile.
enum UnprivilegedUser {
  /// Of the user and of its group, where no distribution gives them to somebody else.
  static let id: UInt32 = 65534

  /// Whether this process could do more than an ordinary user.
  static var isNeeded: Bool { geteuid() == 0 }
}
