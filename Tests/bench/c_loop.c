/* The least that a poll can cost: one hiredis connection, all commands in one write, every reply parsed and freed.
 *
 *   c_loop PORT COUNT FILE      FILE holds one command a line, its words separated by tabs.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { commands_max = 64, words_max = 16, line_max = 4096 };

struct command {
  char *bytes;
  int length;
};

static int read_commands(const char *path, struct command commands[commands_max]) {
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  char line[line_max];
  int count = 0;
  while (count < commands_max && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    const char *words[words_max];
    int word_count = 0;
    for (char *word = strtok(line, "\t"); word && word_count < words_max; word = strtok(NULL, "\t"))
      words[word_count++] = word;
    if (!word_count) continue;
    commands[count].length = redisFormatCommandArgv(&commands[count].bytes, word_count, words, NULL);
    count++;
  }
  fclose(file);
  return count;
}

int main(int argument_count, char **arguments) {
  if (argument_count != 4) return fprintf(stderr, "usage: c_loop PORT COUNT FILE\n"), 2;
  struct command commands[commands_max];
  int command_count = read_commands(arguments[3], commands);
  redisContext *redis = redisConnect("127.0.0.1", atoi(arguments[1]));
  if (!command_count || !redis || redis->err) return fprintf(stderr, "no commands or no Redis\n"), 1;
  for (long poll = 0, polls = atol(arguments[2]); poll < polls; poll++) {
    for (int i = 0; i < command_count; i++)
      redisAppendFormattedCommand(redis, commands[i].bytes, (size_t)commands[i].length);
    for (int i = 0; i < command_count; i++) {
      redisReply *reply = NULL;
      if (redisGetReply(redis, (void **)&reply) != REDIS_OK) return fprintf(stderr, "%s\n", redis->errstr), 1;
      freeReplyObject(reply);
    }
  }
  redisFree(redis);
  return 0;
}
