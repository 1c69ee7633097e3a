"""The lab: three workloads of real Redis processes on loopback, live traffic, and faults on demand.

`place` is the folder and its ports, `process` what runs in it, `node` one server; `workloads` holds how each kind is
configured, brought together and judged; `faults`, `status` and `watch` are what the commands of `__main__` do.
"""
