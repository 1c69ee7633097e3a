import ArgumentParser
import Config

/// Polls a fleet once and says what its checks find.
struct CheckFleetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fleet", abstract: "Poll a fleet once and print what its checks find.",
    discussion: """
      Members are found as the daemon finds them, and every check of the catalogue judges them. What only the history \
      of a running daemon could tell, such as a hit ratio or a flush, is not found; --url asks the daemon itself. Only what is wrong or unknown is \
      printed; --format json has every answer.

      Exits with 0 when nothing is found, with 1 for a finding of the severity --fail-on or a worse one, with 2 when \
      the configuration cannot be used, with 3 when something is unknown or cannot be reached, and with 64 for wrong \
      arguments.

      Example: redline check fleet /etc/redline/redline.yml --fail-on critical --format markdown
      """)

  @OptionGroup var options: ReportOptions

  @Option(
    help: ArgumentHelp(
      "Only the workloads of this shard, such as 3/10; says which shard watches which.", valueName: "i/n"))
  var shard: Shard?

  func validate() throws {
    if shard != nil, options.workload != nil || options.daemon.url != nil {
      throw ValidationError("--shard takes its workloads from the file: leave out --workload and --url")
    }
  }

  func run() async throws {
    try await options.printResults(
      "What the checks of", change: { $0.share(of: shard) }, remarks: { $0.share?.lines ?? [] })
  }
}

extension Shard: ExpressibleByArgument {
  public init?(argument: String) {
    guard let shard = try? Shard.parse(argument) else { return nil }
    self = shard
  }
}
