import Testing

@testable import redline

@Suite struct MarkdownLinesTests {
  @Test func aRunbook() {
    let text = """
      # RedisDown

      > Commands are filled in for `sessions`, `10.0.0.1:6379`, with the roles of 12:00 UTC.

      It is **down**, which is said here in as many words as it takes
      to fill more than a line.

      ```sh
      redis-cli -h 10.0.0.1 -p 6379 -t 3 PING    # a long line of a command is never broken in two, since it is pasted

      ```

      | state | do |
      |---|---|
      | `connect` | The process is gone. See the log of the machine before the restart. |

      | basis | means | do |
      |---|---|---|
      | `none` | nothing is written | redis.conf |

      1. Stop the loss: `redis-cli -h 10.0.0.1 -p 6379 CONFIG SET maxmemory-policy noeviction`, on all members.
         Then wait.

         ```sh
         redis-cli INFO
         ```

      - `{key}`: the key
      - Host: <https://g/?h=a>
      """
    #expect(
      MarkdownLines(text, columns: 60).text == """
        RedisDown

        Commands are filled in for `sessions`, `10.0.0.1:6379`, with
        the roles of 12:00 UTC.

        It is down, which is said here in as many words as it takes
        to fill more than a line.

          redis-cli -h 10.0.0.1 -p 6379 -t 3 PING    # a long line of a command is never broken in two, since it is pasted
        \("  ")

        - `connect`: The process is gone. See the log of the machine
          before the restart.

        - `none`: means: nothing is written; do: redis.conf

        1. Stop the loss:
           `redis-cli -h 10.0.0.1 -p 6379 CONFIG SET maxmemory-policy noeviction`,
           on all members. Then wait.

             redis-cli INFO

        - `{key}`: the key
        - Host: https://g/?h=a

        """)
  }

  /// What comes from servers does nothing to a terminal.
  @Test func controlsAreShownAsWhatTheyAre() {
    let text = MarkdownLines("a \u{1B}[2J b\n\n```sh\nx \u{1B}]0;t\u{7}\n```", columns: 80, hasColours: false).text
    #expect(!text.contains("\u{1B}") && !text.contains("\u{7}") && text.contains("a \u{FFFD}[2J b"))
    #expect(MarkdownLines("# T", hasColours: true).text == "\u{1B}[1mT\u{1B}[0m\n")
  }
}
