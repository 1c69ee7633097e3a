#pragma once
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <string.h>

/* What a daemon of ours is started with. */
struct redline_daemon_settings {
  int listen_fd;
  int is_tls;
  unsigned int connection_limit;
  size_t connection_memory_bytes;
  void *context;
  MHD_AccessHandlerCallback handler;
  void *(*request_line)(void *context, const char *uri, struct MHD_Connection *connection);
  MHD_NotifyConnectionCallback connection;
  MHD_RequestCompletedCallback completed;
};

/* MHD wants a certificate at start; ours are given to each session, so this one is never asked for twice. */
static inline int redline_no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                                         int authority_count, const gnutls_pk_algorithm_t *algorithms,
                                         int algorithm_count, gnutls_pcert_st **certificates,
                                         unsigned int *certificate_count, gnutls_privkey_t *key) {
  (void)session; (void)authorities; (void)authority_count; (void)algorithms; (void)algorithm_count;
  *certificates = NULL; *certificate_count = 0; *key = NULL;
  return -1;
}

/* MHD_start_daemon takes variable arguments, which Swift cannot pass. */
static inline struct MHD_Daemon *redline_start_daemon(const struct redline_daemon_settings *settings) {
  unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME
                       | (settings->is_tls ? MHD_USE_TLS : 0);
  struct MHD_OptionItem tls[] = {
    { MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)&redline_no_certificate },
    { MHD_OPTION_END, 0, NULL },
  };
  struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
  return MHD_start_daemon(
    flags, 0, NULL, NULL, settings->handler, settings->context,
    MHD_OPTION_LISTEN_SOCKET, settings->listen_fd,
    MHD_OPTION_CONNECTION_LIMIT, settings->connection_limit,
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->connection_memory_bytes,
    MHD_OPTION_URI_LOG_CALLBACK, settings->request_line, settings->context,
    MHD_OPTION_NOTIFY_CONNECTION, settings->connection, settings->context,
    MHD_OPTION_NOTIFY_COMPLETED, settings->completed, settings->context,
    MHD_OPTION_ARRAY, settings->is_tls ? tls : none,
    MHD_OPTION_END);
}

static inline int redline_connection_fd(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

static inline void *redline_connection_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

static inline const struct sockaddr *redline_connection_address(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info ? info->client_addr : NULL;
}

static inline gnutls_session_t redline_connection_session(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  return info ? (gnutls_session_t)info->tls_session : NULL;
}

/* Has the library find no arguments in the target that it is just telling of. It would keep each in the connection's memory,
   and goes on in a broken state when that is full (0.9.75); we read the target ourselves. The pointer is into its own buffer. */
static inline void redline_forget_arguments(const char *target) {
  char *question = strchr((char *)target, '?');
  if (question) question[1] = '\0';
}
