# A Redis of our own on a loopback port, in $scratch, with a few commands a second. Process ids go to $started.
# Needs packages.sh and ports.sh.

start_scratch_redis() {
  local port=$1
  "$tools/bin/redis-server" --port "$port" --bind 127.0.0.1 --dir "$scratch" --save '' --appendonly no \
    --maxmemory 64mb --maxmemory-policy allkeys-lru --latency-tracking yes >"$scratch/redis.log" 2>&1 &
  started+=("$!")
  await_port "$port" "$!" || { cat "$scratch/redis.log" >&2; die 'the scratch Redis did not start'; }
  mkfifo "$scratch/commands"
  "$tools/bin/redis-cli" -h 127.0.0.1 -p "$port" <"$scratch/commands" >/dev/null 2>&1 &
  started+=("$!")
  traffic >"$scratch/commands" 2>/dev/null &
  started+=("$!")
}

# About fifty commands a second: a cache with hits and misses, sessions that expire, a queue, a few errors.
traffic() {
  local round=0
  printf 'XGROUP CREATE orders workers $ MKSTREAM\n'
  while :; do
    round=$((round + 1))
    printf 'SET product:%d "cached page %d" EX 300\n' $((RANDOM % 500)) "$round"
    printf 'GET product:%d\nGET product:%d\n' $((RANDOM % 500)) $((RANDOM % 500))
    printf 'SET session:%d signed-in EX 60\nINCR rate:client-%d\n' $((RANDOM % 200)) $((RANDOM % 20))
    printf 'XADD orders MAXLEN ~ 1000 * order %d\n' "$round"
    printf 'XREADGROUP GROUP workers one COUNT 1 STREAMS orders >\n'
    ((round % 25)) || printf 'LPUSH product:%d wrong-type\n' $((RANDOM % 500))
    sleep 0.15
  done
}
