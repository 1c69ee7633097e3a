"""Expressions over the fleet's history, generated from a seed: each is valid and most change over the day."""

import random

GAUGES = ["redis_memory_used_bytes", "redis_connected_clients", "redis_replica_lag_seconds", "redis_up",
          "redis_probe_success"]
COUNTERS = ["redis_keyspace_hits_total", "redis_keyspace_misses_total", "redis_evicted_keys_total",
            "redis_commands_processed_total", "redis_rejected_connections_total"]
HISTOGRAM = "redis_probe_duration_seconds"
WINDOWS = ["2m", "5m", "10m", "30m", "1h", "90m", "6h"]
OFFSETS = ["", "", "", " offset 10m", " offset 1h", " offset 24h", " offset -5m"]
SELECTORS = ["", '{workload="cache"}', '{workload!="cache"}', '{instance=~"cache-[1-3]"}', '{instance!~".*-1"}',
             '{workload=~"sessions|queues",job="redline"}']
OVER_TIME = ["avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time",
             "stddev_over_time", "stdvar_over_time", "present_over_time", "changes", "resets", "deriv", "delta", "idelta"]
RATES = ["rate", "increase", "irate"]
MATH = ["abs", "ceil", "floor", "sqrt", "exp", "ln", "log2", "log10", "sgn", "atan", "tanh"]
AGGREGATIONS = ["sum", "avg", "min", "max", "count", "stddev", "stdvar", "group"]
GROUPINGS = ["by (workload)", "by (workload, instance)", "without (instance)", "by (job)", "without (role, workload)", ""]
ARITHMETIC = ["+", "-", "*", "/", "%", "^"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<="]


class Writer:
    def __init__(self, seed: int):
        self.dice = random.Random(seed)

    def one(self, options: list[str]) -> str:
        return self.dice.choice(options)

    def selector(self, names: list[str], labels: str | None = None) -> str:
        return self.one(names) + (self.one(SELECTORS) if labels is None else labels)

    def gauge(self) -> str:
        return self.selector(GAUGES) + self.one(OFFSETS)

    def rate(self, labels: str | None = None) -> str:
        return f"{self.one(RATES)}({self.selector(COUNTERS, labels)}[{self.one(WINDOWS[1:])}]{self.one(OFFSETS)})"

    def over_time(self) -> str:
        return f"{self.one(OVER_TIME)}({self.selector(GAUGES + COUNTERS)}[{self.one(WINDOWS[1:])}]{self.one(OFFSETS)})"

    def quantile_over_time(self) -> str:
        return f"quantile_over_time({self.dice.choice([0, 0.1, 0.5, 0.9, 1])}, {self.selector(GAUGES)}[{self.one(WINDOWS)}])"

    def predict(self) -> str:
        return f"predict_linear({self.selector(GAUGES)}[{self.one(WINDOWS[2:])}], {self.one(['60', '3600', '-600'])})"

    def subquery(self) -> str:
        step = self.one(["", "1m", "5m"])
        return f"{self.one(OVER_TIME[:6])}(({self.vector()})[{self.one(['10m', '30m', '1h'])}:{step}])"

    def vector(self) -> str:
        return self.dice.choice([self.gauge, self.rate, self.rate, self.over_time])()

    def aggregation(self) -> str:
        return f"{self.one(AGGREGATIONS)} {self.one(GROUPINGS)} ({self.vector()})"

    def quantile(self) -> str:
        return f"quantile {self.one(GROUPINGS)} ({self.dice.choice([0.1, 0.5, 0.99])}, {self.vector()})"

    def histogram(self) -> str:
        share = self.dice.choice([0, 0.5, 0.9, 0.99, 1])
        by = self.one(["by (le)", "by (le, workload)", "by (le, workload, instance)"])
        return f"histogram_quantile({share}, sum {by} (rate({HISTOGRAM}_bucket{self.one(SELECTORS)}[{self.one(WINDOWS[1:])}])))"

    def arithmetic(self) -> str:
        labels = self.one(SELECTORS)
        return (f"sum by (workload, instance) ({self.rate(labels)}) {self.one(ARITHMETIC)} on (workload, instance) "
                f"sum by (workload, instance) ({self.rate(labels)})")

    def group_left(self) -> str:
        labels = self.one(SELECTORS)
        return (f"sum by (workload, instance) ({self.rate(labels)}) {self.one(['/', '*', '-', '>', '<='])} on (workload) "
                f"group_left () {self.one(AGGREGATIONS)} by (workload) ({self.rate(labels)})")

    def with_scalar(self) -> str:
        value = self.one(["2", "0.5", "-3", "1e6", "1024"])
        if self.dice.random() < 0.5:
            return f"({self.vector()}) {self.one(ARITHMETIC)} {value}"
        return f"({self.vector()}) {self.one(COMPARISONS)} {self.one(['', 'bool '])}{value}"

    def sets(self) -> str:
        return (f"({self.gauge()}) {self.one(['and', 'or', 'unless'])} on (workload, instance) "
                f"(redis_instance_role{{role=\"master\"}} == 1)")

    def function(self) -> str:
        return f"{self.one(MATH)}({self.vector()})"

    def clamped(self) -> str:
        return self.one([f"clamp_min({self.vector()}, 1)", f"clamp_max({self.vector()}, 100)",
                         f"clamp({self.vector()}, 1, 50)", f"round({self.vector()}, 5)"])

    def labels(self) -> str:
        return self.one([
            f'label_replace({self.vector()}, "shard", "$1", "instance", "[a-z]+-([0-9]+)")',
            f'sum by (place) (label_join({self.gauge()}, "place", "/", "workload", "instance"))',
            f'label_replace({self.vector()}, "kind", "${{1}}s", "workload", "(.*)s")'])

    def time(self) -> str:
        return self.one([f"time() - timestamp({self.gauge()})", f"hour() + 0 * sum({self.rate()})",
                         f"vector(time() % 3600) + sum({self.rate()})", f"minute(timestamp({self.gauge()}))",
                         f"scalar(sum({self.rate()})) * vector(2)"])

    def absence(self) -> str:
        return self.one([f"absent({self.gauge()}) or sum({self.rate()})",
                         f"absent_over_time({self.selector(GAUGES)}[10m]) or {self.vector()}"])

    def at(self) -> str:
        return self.one([f"{self.selector(GAUGES)} @ end()", f"rate({self.selector(COUNTERS)}[1h] @ end())",
                         f"{self.vector()} - on (workload, instance) group_left () max by (workload, instance) "
                         f"({self.selector(GAUGES)} @ start())"])

    def expression(self) -> str:
        return self.dice.choice([
            self.gauge, self.rate, self.over_time, self.quantile_over_time, self.predict, self.subquery, self.aggregation,
            self.aggregation, self.quantile, self.histogram, self.arithmetic, self.group_left, self.with_scalar, self.sets,
            self.function, self.clamped, self.labels, self.time, self.absence, self.at])()


def expressions(count: int, seed: int = 1) -> list[str]:
    writer, found = Writer(seed), {}
    while len(found) < count:
        found.setdefault(writer.expression())
    return list(found)
