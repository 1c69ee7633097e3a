/* A thousand Redis servers in one process: each has a loopback address of its own and answers with captured replies.
 *
 *   simulator ADDRESS PORT COUNT HUNG FOLDER
 *
 * Server i listens on ADDRESS + i. FOLDER holds the replies: info-all.resp, config-get.resp and so on. Every server has
 * a run id of its own, and counters of INFO differ from server to server and from poll to poll, so that pages compress
 * no better than those of real servers. SIGUSR1: the first HUNG servers accept and read, but answer no more. SIGUSR2:
 * they answer again. On SIGTERM it prints how many INFO and PING it has answered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { input_max = 4096, output_max = 256 << 10, words_max = 8, digits_max = 4096 };

struct reply {
  const char *words;
  const char *file;
  char *bytes;
  size_t length;
};

#define CLIENTS \
  "# Clients\r\nconnected_clients:41\r\ncluster_connections:0\r\nmaxclients:10000\r\n" \
  "client_recent_max_input_buffer:16392\r\nclient_recent_max_output_buffer:0\r\nblocked_clients:0\r\n" \
  "tracking_clients:0\r\npubsub_clients:0\r\nwatching_clients:0\r\nclients_in_timeout_table:0\r\n" \
  "total_watched_keys:0\r\ntotal_blocking_keys:0\r\ntotal_blocking_keys_on_nokey:0\r\n"

/* The first that the command begins with counts. */
static struct reply replies[] = {
  {"PING", NULL, "+PONG\r\n", 7},
  {"INFO CLIENTS", NULL, "$329\r\n" CLIENTS "\r\n", sizeof CLIENTS + 7},
  {"INFO", "info-all", NULL, 0},
  {"CONFIG GET", "config-get", NULL, 0},
  {"LATENCY LATEST", "latency-latest", NULL, 0},
  {"LATENCY HISTOGRAM", "latency-histogram", NULL, 0},
  {"SLOWLOG LEN", "slowlog-len", NULL, 0},
  {"SLOWLOG GET", "slowlog-get", NULL, 0},
  {"CLIENT LIST", "client-list", NULL, 0},
  {"CLIENT SETNAME", NULL, "+OK\r\n", 5},
  {"CLIENT NO-TOUCH", NULL, "+OK\r\n", 5},
  {"SELECT", NULL, "+OK\r\n", 5},
  {"", NULL, "-ERR unknown command\r\n", 22},
};
enum { ping_reply = 0, info_reply = 2, reply_count = sizeof replies / sizeof *replies };

struct client {
  int socket, server;
  struct client *next_free;
  size_t in_count, out_count, out_sent;
  char *out;
  char in[input_max];
};

/* Where the run id of INFO stands, and the last three digits of its counters. */
static size_t run_id_place, digit_places[digits_max], digit_count;
static unsigned long info_total, ping_total;
static int hung_count, is_hanging, loop;
/* epoll's pointer of server i; distinguishes listeners from clients. */
static int *listeners;
static int server_count;
static struct client *free_clients;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void read_replies(const char *folder) {
  for (int i = 0; i < reply_count; i++) {
    if (!replies[i].file) continue;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.resp", folder, replies[i].file);
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    replies[i].bytes = malloc(output_max);
    replies[i].length = fread(replies[i].bytes, 1, output_max, file);
    fclose(file);
  }
}

/* Counters vary in sections that no rule about members reads: a line's last three digits, where it has at least five. */
static void find_digits(void) {
  const char *info = replies[info_reply].bytes, *end = info + replies[info_reply].length;
  const char *run_id = memmem(info, (size_t)(end - info), "\nrun_id:", 8);
  run_id_place = run_id ? (size_t)(run_id - info) + 8 : 0;
  int varies = 0;
  for (const char *line = info; line < end;) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    stop = stop ? stop + 1 : end;
    if (*line == '#') varies = !strncmp(line, "# Memory", 8) || !strncmp(line, "# Stats", 7) || !strncmp(line, "# CPU", 5) || !strncmp(line, "# Commandstats", 14);
    const char *start = NULL;
    for (const char *at = line; varies && at < stop; at++) {
      if (*at >= '0' && *at <= '9') {
        if (!start) start = at;
        continue;
      }
      if (start && at - start >= 5 && strchr(":=", start[-1]) && strchr(",\r", *at) && digit_count < digits_max)
        digit_places[digit_count++] = (size_t)(at - info) - 3;
      start = NULL;
    }
    line = stop;
  }
}

/* Copies INFO with what is the server's own. */
static void write_info(char *to, int server) {
  memcpy(to, replies[info_reply].bytes, replies[info_reply].length);
  if (run_id_place) {
    char id[9];
    snprintf(id, sizeof id, "%08x", (unsigned)server);
    memcpy(to + run_id_place, id, 8);
  }
  unsigned seed = (unsigned)server * 2654435761u + (unsigned)info_total * 40503u;
  for (size_t i = 0; i < digit_count; i++) {
    seed = seed * 1103515245u + 12345u;
    unsigned digits = seed >> 16;
    char *place = to + digit_places[i];
    for (int k = 2; k >= 0; k--, digits /= 10) place[k] = (char)('0' + digits % 10);
  }
}

static void close_client(struct client *client) {
  close(client->socket);
  free(client->out);
  client->out = NULL;
  client->next_free = free_clients;
  free_clients = client;
}

static void watch_output(struct client *client, int wanted) {
  struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = client};
  epoll_ctl(loop, EPOLL_CTL_MOD, client->socket, &event);
}

static int append(struct client *client, const struct reply *reply) {
  char *grown = realloc(client->out, client->out_count + reply->length);
  if (!grown) return -1;
  client->out = grown;
  if (reply == &replies[info_reply]) {
    write_info(grown + client->out_count, client->server);
    info_total++;
  } else {
    memcpy(grown + client->out_count, reply->bytes, reply->length);
    if (reply == &replies[ping_reply]) ping_total++;
  }
  client->out_count += reply->length;
  return 0;
}

/* Parses one command; returns its length, 0 while it is incomplete, -1 for garbage. */
static long parse(const char *bytes, size_t count, char *words, size_t words_size) {
  size_t at = 0;
  long expected = -1;
  words[0] = 0;
  for (long word = -1; word < (expected < 0 ? 0 : expected); word++) {
    const char *line = bytes + at, *stop = memchr(line, '\n', count - at);
    if (!stop) return 0;
    if (*line != (word < 0 ? '*' : '$')) return -1;
    long number = strtol(line + 1, NULL, 10);
    at += (size_t)(stop + 1 - line);
    if (word < 0) {
      expected = number;
      if (expected < 1) return -1;
      continue;
    }
    if (number < 0 || number > input_max) return -1;
    if (count - at < (size_t)number + 2) return 0;
    if (word < 2 && strlen(words) + (size_t)number + 2 < words_size) {
      if (word) strcat(words, " ");
      strncat(words, bytes + at, (size_t)number);
    }
    at += (size_t)number + 2;
  }
  return (long)at;
}

static int answer(struct client *client) {
  size_t at = 0;
  while (at < client->in_count) {
    char words[64];
    long length = parse(client->in + at, client->in_count - at, words, sizeof words);
    if (length < 0) return -1;
    if (length == 0) break;
    at += (size_t)length;
    if (is_hanging && client->server < hung_count) continue;
    for (int i = 0; i < reply_count; i++)
      if (!strncasecmp(words, replies[i].words, strlen(replies[i].words))) {
        if (append(client, &replies[i])) return -1;
        break;
      }
  }
  memmove(client->in, client->in + at, client->in_count - at);
  client->in_count -= at;
  return 0;
}

static int flush_output(struct client *client) {
  while (client->out_sent < client->out_count) {
    ssize_t sent = write(client->socket, client->out + client->out_sent, client->out_count - client->out_sent);
    if (sent < 0 && errno == EAGAIN) return watch_output(client, 1), 0;
    if (sent < 0) return -1;
    client->out_sent += (size_t)sent;
  }
  if (client->out_sent > 0 && client->out_count == client->out_sent) client->out_sent = client->out_count = 0;
  return 0;
}

static void serve(struct client *client, unsigned events) {
  if (events & EPOLLOUT) {
    if (flush_output(client)) return close_client(client);
    if (!client->out_count) watch_output(client, 0);
  }
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  ssize_t count = read(client->socket, client->in + client->in_count, input_max - client->in_count);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return close_client(client);
  client->in_count += (size_t)count;
  if (answer(client) || client->in_count == input_max || flush_output(client)) close_client(client);
}

static void accept_client(int server) {
  int socket = accept4(listeners[server], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) return;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  struct client *client = free_clients;
  if (client) free_clients = client->next_free;
  else if (!(client = malloc(sizeof *client))) fail("malloc");
  *client = (struct client){.socket = socket, .server = server};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  if (epoll_ctl(loop, EPOLL_CTL_ADD, socket, &event)) fail("epoll_ctl");
}

static void listen_all(const char *address, int port) {
  struct in_addr first;
  if (inet_pton(AF_INET, address, &first) != 1) fail(address);
  for (int i = 0; i < server_count; i++) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port),
                              .sin_addr.s_addr = htonl(ntohl(first.s_addr) + (unsigned)i)};
    listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listeners[i] < 0) fail("socket");
    setsockopt(listeners[i], SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listeners[i], (struct sockaddr *)&own, sizeof own) || listen(listeners[i], 64)) fail("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listeners[i]};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, listeners[i], &event)) fail("epoll_ctl");
  }
}

int main(int argument_count, char **arguments) {
  if (argument_count != 6) return fprintf(stderr, "usage: simulator ADDRESS PORT COUNT HUNG FOLDER\n"), 2;
  server_count = atoi(arguments[3]);
  hung_count = atoi(arguments[4]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  read_replies(arguments[5]);
  find_digits();
  listeners = calloc((size_t)server_count, sizeof *listeners);
  loop = epoll_create1(EPOLL_CLOEXEC);
  if (!listeners || loop < 0) fail("epoll_create1");
  signal(SIGPIPE, SIG_IGN);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  sigaddset(&mask, SIGUSR2);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  int signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &signals};
  epoll_ctl(loop, EPOLL_CTL_ADD, signals, &event);
  listen_all(arguments[1], atoi(arguments[2]));
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(loop, events, 256, -1);
    for (int i = 0; i < count; i++) {
      void *source = events[i].data.ptr;
      if (source == &signals) {
        struct signalfd_siginfo info;
        if (read(signals, &info, sizeof info) != sizeof info) continue;
        if (info.ssi_signo == SIGTERM) return printf("info %lu ping %lu\n", info_total, ping_total), 0;
        is_hanging = info.ssi_signo == SIGUSR1;
      } else if ((int *)source >= listeners && (int *)source < listeners + server_count) {
        accept_client((int)((int *)source - listeners));
      } else {
        serve(source, events[i].events);
      }
    }
  }
}
