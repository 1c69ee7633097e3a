import ArgumentParser
import Config
import Glibc
import Logging
import Web

/// The program: a subcommand when the first word is one, else the daemon with redis_exporter's flags.
@main
struct Redline {
  /// Exit status for a command line or configuration that cannot be used.
  static let usageStatus: Int32 = 2

  static func main() async {
    let memory = MemoryLimits.current()
    LastWords.install(limits: "\(memory)")
    if let shortage = memory.shortage { fail(shortage) }
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let word = arguments.first, !word.hasPrefix("-") || word.hasPrefix("--generate-completion-script") {
      await Commands.main(arguments)
      return
    }
    let environment = processEnvironment()
    let options: Options
    do throws(ConfigErrors) {
      switch try Invocation.parse(arguments, environment: environment) {
      case .help:
        print(Flags.usage() + "\n\nSubcommands\n" + Commands.list)
        return
      case .version:
        print("redline \(BuildInfo.version) (\(BuildInfo.swiftVersion))")
        return
      case .run(let parsed): options = parsed
      }
    } catch {
      fail("\(error)")
    }
    Allocator.keepScrapeBuffers()
    LineLogHandler.bootstrap(options.log)
    let log = Logger(label: "redline")
    do {
      try await Daemon(options, environment: environment, log: log).run()
    } catch {
      fail("\(error)", status: 1)
    }
    exit(0)
  }

  static func fail(_ message: String, status: Int32 = usageStatus) -> Never {
    printError("redline: \(message)")
    exit(status)
  }

  /// Writes a line, or several, to standard error.
  static func printError(_ message: String) {
    let line = Array("\(message)\n".utf8)
    unsafe write(STDERR_FILENO, line, line.count)
  }
}
