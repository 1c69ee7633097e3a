import Config
import Fleet
import NIOCore
import Redis
import Runtime
import Web

extension Daemon {
  /// The nodes of the cluster that the configured target belongs to, as Prometheus http_sd takes them.
  func discoverClusterNodes() async -> Response {
    guard options.redis.isCluster, let text = options.redis.address, let address = try? RedisAddress(text) else {
      return .text("The discovery endpoint is only available on a redis cluster\n", status: 400)
    }
    let deadline = NIODeadline.now() + TimeAmount(options.redis.deadline)
    let connection: Connection
    do throws(RedisError) {
      connection = try await Connection.open(
        factory.connection(address, isTrusted: true), in: factory.context, deadline: deadline)
    } catch {
      return .text("Couldn't connect to redis cluster: \(error)\n", status: 500)
    }
    defer { connection.close() }
    let command: Command = ["CLUSTER", "NODES"]
    let exchange = await connection.send(CommandBatch([command]), deadline: deadline)
    guard exchange.replies.count == 1, exchange.replies[0].kind == .string,
      let bytes = exchange.replies[0].bytes
    else {
      let reason =
        exchange.failure ?? exchange.replies.replies(in: 0..<1).first.map { RedisError(reply: $0, to: command) }
      return .text("Failed to fetch cluster nodes: \(reason?.description ?? "no answer")\n", status: 500)
    }
    let scheme = address.usesTLS ? "rediss" : "redis"
    let targets = ClusterNodes(bytes).nodes.map { node in
      let name = options.redis.areHostnamesDiscovered ? node.hostname ?? node.host : node.host
      return "\(scheme)://\(Endpoint.tcp(host: name, port: node.port))"
    }
    let list = targets.map { "      \(jsonString($0))" }.joined(separator: ",\n")
    let json = "[\n  {\n    \"targets\": [\n\(list)\n    ],\n    \"labels\": {}\n  }\n]\n"
    return .json(Array(json.utf8))
  }
}
