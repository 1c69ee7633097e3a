import Glibc

/// Whether `Tests/run --thorough` asks for the long form of every test.
public let isThorough = unsafe getenv("THOROUGH").map { unsafe $0.pointee != 0 } ?? false

/// How much of something a test does: `full` under `Tests/run --thorough`, otherwise `short`.
public func share<Amount>(_ short: Amount, full: Amount) -> Amount { isThorough ? full : short }
