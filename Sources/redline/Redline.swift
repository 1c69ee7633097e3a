import ArgumentParser
import Config
import Glibc
import Logging
import Runtime
import Web

/// The program: a subcommand when the first word is one, else the daemon with redis_exporter's flags.
@main
struct Redline {
  /// Exit status for a command line or configuration that cannot be used.
  static let usageStatus: Int32 = 2

  static func main() async {
    ProcessGuard.start()
    let memory = MemoryLimits.current()
    LastWords.install(limits: "\(memory)")
    if let shortage = memory.shortage { fail(shortage) }
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let word = arguments.first, !word.hasPrefix("-") || word.hasPrefix("--generate-completion-script") {
      if let complaint = Commands.complaint(about: word) {
        printError(complaint)
        leave(ExitCode.validationFailure.rawValue)
      }
      await Commands.main(Commands.spelledToday(arguments))
      return
    }
    let environment = processEnvironment()
    let options: Options
    do throws(ConfigErrors) {
      switch try Invocation.parse(arguments, environment: environment) {
      case .help:
        print(Commands.introduction + "\n\n" + Flags.usage() + "\n\nSubcommands\n" + Commands.list)
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
    leave(0)
  }

  static func fail(_ message: String, status: Int32 = usageStatus) -> Never {
    LogQueue.standardError.write(
      Array("redline: \(KnownSecrets.masked(message, sparesWords: true))\n".utf8), isNeeded: true)
    leave(status)
  }

  /// Ends the process once its log is written, or after a second where nobody reads it.
  static func leave(_ status: Int32) -> Never {
    LogQueue.standardError.flush(within: .seconds(1))
    exit(status)
  }

  /// Writes a line, or several, to standard error: for subcommands, which may wait for the reader.
  static func printError(_ message: String) {
    _ = LogQueue.put(Array("\(KnownSecrets.masked(message, sparesWords: true))\n".utf8), to: STDERR_FILENO)
  }

  /// Writes to standard output without keeping anything back, for what goes on printing.
  static func printNow(_ text: String) { _ = LogQueue.put(Array(text.utf8), to: STDOUT_FILENO) }
}
