"""The lab: three workloads of real Redis processes on loopback, live traffic, and faults on demand.

`place` is the folder and its ports, `process` what runs in it, `node` one server; `workloads` holds how each kind is
configured, brought together and judged. What the commands of `__main__` do is in `lifecycle`, `node_faults`,
`workload_faults`, `membership`, `healing`, `status` and `watch`.
"""
