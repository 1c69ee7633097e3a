import Runtime

/// A key's, stream's, group's or consumer's name as a label: repaired UTF-8 of at most ``KeyWorkLimits/labelBytes``.
func keyLabel(_ name: some Collection<UInt8>) -> String { String(foreign: name, upToBytes: KeyWorkLimits.labelBytes) }

func databaseLabel(_ database: Int) -> String { "db\(database)" }
