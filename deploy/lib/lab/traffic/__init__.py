"""Live traffic at a bounded rate: one thread per workload, so that none waits for another's trouble."""
