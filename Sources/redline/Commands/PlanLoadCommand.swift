import ArgumentParser
import Config
import Drills
import Fleet
import NIOPosix
import Redis
import Runtime

/// Says how generators are told to make a workload's own load.
struct PlanLoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Print arguments for generators that make the load of a workload.",
    discussion: """
      Reads how often each command is called: in the peak hour of the last day, where --url names a daemon that keeps a \
      history, else in ten seconds between two looks at the masters. Lengths of strings are those of up to 1,000 keys at random, \
      which takes +randomkey and +strlen; names and values of keys are not told. Nothing is written.

      Exits with 0, with 2 when the configuration cannot be used, with 3 when nothing is called, a server does not answer, or \
      generators cannot make more than 10 % of the calls, and with 64 for wrong arguments.

      Example: redline load plan /etc/redline/redline.yml --workload carts --factor 3
      """)

  @OptionGroup var options: ReportOptions

  @Option(help: ArgumentHelp("How many times as much is wanted.", valueName: "factor"))
  var factor = 3.0

  private static let lookSeconds = 10.0

  func validate() throws {
    guard factor > 0, factor <= 1000 else {
      throw ValidationError("--factor \(factor): use more than 0 and up to 1000")
    }
    guard options.workload != nil else { throw ValidationError("--workload is missing") }
  }

  func run() async throws {
    let plan: LoadPlan
    do {
      let (config, path) = try options.load()
      let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
      let members = await FleetSearch.run(config, subject) { await $0.members() }
      let masters = members.filter { $0.role == .master }.map {
        LoadTest.Server(instance: $0.instance, $0.node.poller.options.connection)
      }
      let look = LoadLook(masters, in: subject.factory.context)
      let sizes = await look.valueBytes()
      var mix: [String: Double] = [:]
      if let url = options.daemon.url { mix = try await peak(url) }
      if mix.isEmpty { mix = try await look.mix(seconds: Self.lookSeconds) }
      plan = LoadPlan(mix: mix, valueBytes: sizes, factor: factor)
    } catch let error as ConfigErrors {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    } catch {
      Redline.printError("redline: \(error)")
      throw ExitCode(ReportOptions.unknownStatus)
    }
    guard plan.callsPerSecond > 0 else {
      Redline.printError("redline: no command was called on a master: there is no load to plan from")
      throw ExitCode(ReportOptions.unknownStatus)
    }
    Redline.printNow(plan.text)
    if plan.leftOutShare > LoadPlan.leftOutLimit { throw ExitCode(ReportOptions.unknownStatus) }
  }

  /// The rates of the hour of the last day in which most was called; empty where the daemon keeps no history.
  private func peak(_ url: String) async throws -> [String: Double] {
    let matcher = "workload=\"\(options.workload ?? "")\""
    let isMaster = "and on (instance) redis_instance_role{\(matcher),role=\"master\"} == 1"
    func rates(_ range: String) -> String {
      "sum by (cmd) (rate(redis_commands_total{\(matcher)}[\(range)]) \(isMaster))"
    }
    let now = WallTime.now
    let total = "sum(rate(redis_commands_processed_total{\(matcher)}[10m]) \(isMaster))"
    let series = try? await options.daemon.ask(
      url, "query_range?query=\(total.percentEncoded())&start=\(now.seconds - 86_400)&end=\(now.seconds)&step=300")
    let points = series?["result"]?.elements.first?["values"]?.elements ?? []
    let busiest = points.compactMap { point -> (at: Double, rate: Double)? in
      guard let at = point.elements.first?.number, let rate = point.elements.last?.string.flatMap(Double.init) else {
        return nil
      }
      return (at, rate)
    }.max { $0.rate < $1.rate }
    guard let busiest else { return [:] }
    let data = try await options.daemon.ask(url, "query?query=\(rates("1h").percentEncoded())&time=\(busiest.at)")
    var mix: [String: Double] = [:]
    for one in data["result"]?.elements ?? [] {
      guard let name = one["metric"]?["cmd"]?.string,
        let rate = one["value"]?.elements.last?.string.flatMap(Double.init),
        rate.isFinite, rate > 0
      else { continue }
      mix[name.lowercased()] = rate
    }
    return mix
  }
}
