import ArgumentParser
import Config
import Fleet

/// Looks over the security of a fleet's servers and says what is wrong.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Look over the security of a fleet's servers and print who could use what.",
    discussion: """
      Only reads. Each server is asked on a connection of its own: which commands users may run, by its own verdict (ACL \
      DRYRUN, which runs nothing), which settings and addresses open it, who is connected, what the ACL refused. Password \
      hashes are never asked for. What the right is missing for is unknown and says which right; redline acl prints them all. \
      Findings that audit.accept names are set aside until their day. With --url the daemon's newest look is printed, which \
      knows what is new since the first.

      Exits with 0 when nothing is found, with 1 for a finding of the severity --fail-on or a worse one, with 2 when \
      the configuration cannot be used, with 3 when something is unknown or cannot be reached, and with 64 for wrong \
      arguments.

      Example: redline audit /etc/redline/redline.yml --format markdown
      """)

  @OptionGroup var options: ReportOptions

  @Option(
    help: "File of known faults of versions, in the place of audit.advisories.", completion: .file(extensions: ["json"])
  )
  var advisories: String?

  func run() async throws {
    if options.daemon.url != nil, advisories != nil {
      throw ValidationError("--advisories is for a look from here; a daemon has the file of its own configuration.")
    }
    try await options.printResults(
      "What the audit of", finds: CheckNames.audit, change: { $0.auditing(against: advisories) },
      remarks: { await AdvisoryFile.ages(of: $0) },
      prepare: { fleet in _ = await fleet.audit(mayBeEarly: true) })
  }
}
