/// What stands for something in the commands of runbooks, as `{node}`, until it is filled in.
///
/// A server stands for itself behind `redis-cli`, with its address, user and TLS; as `{node.host}`, `{node.port}` and
/// `{node.address}` for its parts, and as `{node.seed}` behind `redis-cli --cluster …`.
enum RunbookPlaceholder: String, Sendable, CaseIterable {
  // Servers.
  case node, master, masters, replica, replicas, sentinel, sentinels, member, members, cluster, keys
  // What an alert or the configuration says.
  case workload, instance, stream, group, service, limit, prefix, db, user, config, redline, metrics
  case masterName = "master_name"
  // What the person on call knows or has just read.
  case key, token, file, bytes, consumer, prometheus, alertmanager
  case clientID = "client_id"
  case entryID = "entry_id"
  case nodeID = "node_id"
  case client, app
  case newNode = "new_node"

  enum Kind: Sendable {
    /// One server, or each of several: the line then stands once for each.
    case server, servers
    /// A word of the alert, the daemon or its configuration.
    case word
    /// Nobody but the reader knows it.
    case chosen
  }

  var kind: Kind {
    switch self {
    case .node, .master, .replica, .sentinel, .member, .cluster, .keys: .server
    case .masters, .replicas, .sentinels, .members: .servers
    case .workload, .instance, .stream, .group, .service, .limit, .prefix, .db, .user, .config, .redline, .metrics,
      .masterName:
      .word
    case .key, .token, .file, .bytes, .consumer, .prometheus, .alertmanager, .clientID, .entryID, .nodeID, .client,
      .app, .newNode:
      .chosen
    }
  }

  /// In plain words, for who has to fill it in.
  var meaning: String {
    switch self {
    case .node: "the server of the alert: `-h HOST -p PORT`, with `--user` and `--tls` where it asks for them"
    case .master: "the master, of the alert's shard in a cluster, in the same form"
    case .masters: "each master of the workload; the line is for every one of them"
    case .replica: "the replica that is least behind, of the alert's shard in a cluster"
    case .replicas: "each replica of the workload; the line is for every one of them"
    case .sentinel: "a Sentinel that answers: `-h HOST -p 26379`"
    case .sentinels: "each Sentinel of the workload; the line is for every one of them"
    case .member: "any server of the workload that answers"
    case .members: "each server of the workload; the line is for every one of them"
    case .cluster: "any node of the cluster that answers"
    case .keys: "the master that has the keys; in a cluster any one, with `-c`"
    case .workload: "the workload, by its name in redline.yml"
    case .instance: "the label `instance` of the alert"
    case .stream: "the label `stream` of the alert"
    case .group: "the label `group` of the alert"
    case .service: "the label `service` of the alert"
    case .limit: "the label `limit` of the alert"
    case .prefix: "the label `prefix` of the alert"
    case .db: "the number of the database: the label `db` of the alert"
    case .user: "the ACL user that redline logs in with"
    case .config: "the path of redline.yml"
    case .redline: "the address of redline, such as http://127.0.0.1:9121"
    case .metrics: "redline's page of metrics, such as http://127.0.0.1:9121/metrics"
    case .masterName: "the name of the master on the Sentinels: the label `master_name`"
    case .key: "the key in question"
    case .token: "the value of the key"
    case .file: "the path of the file, as CONFIG GET dir and the log name it"
    case .bytes: "a number of bytes, such as 24gb"
    case .consumer: "another consumer of the group"
    case .prometheus: "the address of Prometheus, such as http://prometheus:9090"
    case .alertmanager: "the address of Alertmanager, such as http://alertmanager:9093"
    case .clientID: "the `id=` of a line of CLIENT LIST"
    case .entryID: "the id of the entry, as XPENDING shows it"
    case .nodeID: "the id of a node, the first word of its line in CLUSTER NODES"
    case .client: "the address of a client, the `addr=` of a line of CLIENT LIST"
    case .app: "the ACL user of the application"
    case .newNode: "the new server, as host:port"
    }
  }
}
