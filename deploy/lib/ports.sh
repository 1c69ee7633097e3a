# Loopback ports, with nothing but bash.

port_is_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# await_port PORT PID: waits up to 20 s until something listens; fails at once when the process is gone.
await_port() {
  for _ in {1..200}; do
    port_is_busy "$1" && return 0
    kill -0 "$2" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}
