"""The commands of deploy/lab."""

import argparse
import os
import pathlib
import signal
import sys

from . import drills, healing, lifecycle, membership, node_faults, status, workload_faults
from .place import Place
from .resp import ReplyError
from .terminal import Refused, fail, say
from .traffic import control
from .watch import write_watch_file
from .workloads import KINDS

ABOUT = """\
Three workloads of real Redis processes on loopback, with live traffic:
  cache     Redis Cluster, cache-1 to cache-6: three masters, three replicas; evicts, keeps nothing on disk
  sessions  sessions-1 to -3 under sentinel-1 to -3; noeviction, hourly RDB and AOF everysec; has a password
  queues    streams on queues-1 to -3; noeviction, AOF always

State is in .build/lab (LAB_DIR=FOLDER for another); LAB_REDIS_SERVER=PROGRAM takes another server."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="deploy/lab", description=ABOUT,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    add = command("up", "start everything that does not run, wait until all is well")
    add.add_argument("--rate", type=rate, help=f"commands a second of traffic for each workload ({control.RATE})")
    command("down", "end every process and remove the state; the ports are remembered")
    command("status", "list nodes, roles, faults and traffic; exits 1 when something is wrong")
    add = command("config", "print the path of the redline.yml that watches the lab")
    add.add_argument("--seeds", type=int, choices=(1, 2, 3), default=1, help="seed addresses for each workload (1)")
    add = command("traffic", "start or stop the traffic, or give it another rate; it starts with `up`")
    add.add_argument("what", nargs="?", default="on", help="on, off, or commands a second for each workload")
    add = command("kill", "SIGKILL a node")
    add.add_argument("node")
    add = command("hang", "SIGSTOP a node: it accepts connections and answers none")
    add.add_argument("node")
    add = command("heal", "undo the faults of a node or a workload, of everything without a name")
    add.add_argument("target", nargs="?", help="a node, cache, sessions or queues")
    add = command("restart", "stop a node in good order and start it again")
    add.add_argument("node")
    add = command("replace", "put an empty server with another run id at a replica's address")
    add.add_argument("node")
    add = command("load", "restart a node of sessions or queues so that it takes its time to load its file")
    add.add_argument("node")
    add.add_argument("--seconds", type=float, default=node_faults.LOAD_SECONDS,
                     help=f"about this long ({node_faults.LOAD_SECONDS})")
    add = command("failover", "make a replica the master, by the workload's own means")
    add.add_argument("target", help="cache, sessions, queues, or a node whose shard it is about")
    add = command("drill", "break the master of the sessions with redline drill, and exit as that does")
    add.add_argument("fault", nargs="?", default="planned", choices=("planned", "hang", "kill", "bare"),
                     help="planned (the default) must lose nothing; bare, a SENTINEL FAILOVER under load, does lose writes")
    add = command("backup", "save a replica of the sessions and verify the file with redline backup verify, and exit as that does")
    add.add_argument("what", nargs="?", default="good", choices=("good", "damaged"), help="damaged cuts the file in half before")
    add = command("loadtest", "write to the sessions under redline load run, and exit as that does")
    add.add_argument("what", nargs="?", default="good", choices=("good", "stall"), help="stall halts the master for a second meanwhile")
    add = command("ready", "ask redline ready whether the sessions are ready for three times their load, and exit as that does")
    add.add_argument("--url", default="http://127.0.0.1:9121", help="the redline that watches the lab (http://127.0.0.1:9121)")
    add = command("add", "add a replica")
    add.add_argument("workload", choices=KINDS)
    add = command("remove", "remove a replica for good")
    add.add_argument("node")
    add = command("fill", "write until every master of the cache evicts")
    add.add_argument("workload", choices=["cache"])
    add = command("flush", "FLUSHALL on every master of the cache")
    add.add_argument("workload", choices=["cache"])
    add = command("lag", "stop the consumers of the queues and add a burst of entries")
    add.add_argument("workload", choices=["queues"])
    add.add_argument("--entries", type=int, default=1000, help="size of the burst (1000)")
    add = command("deadlock", "take a lock without a TTL")
    add.add_argument("name", nargs="?", default="checkout")
    add = command("circuit", "open the circuit breaker of a service, and keep it open")
    add.add_argument("service", nargs="?", default="payments")
    return top


def rate(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= control.RATE_LIMIT:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {control.RATE_LIMIT}")
    return int(text)


def run(place: Place, options: argparse.Namespace) -> int:
    match options.command:
        case "up":
            lifecycle.up(place, options.rate)
            status.show(place)
            say(f"\ndeploy/lab config prints the file that watches it: {place.watch_file}")
        case "down":
            lifecycle.down(place)
        case "config":
            if not place.nodes():
                raise Refused("the lab is not up: deploy/lab up")
            say(str(write_watch_file(place, options.seeds)))
        case "traffic":
            if not place.nodes():
                raise Refused("the lab is not up: deploy/lab up")
            if options.what == "off":
                control.stop(place)
            else:
                try:
                    control.start(place, None if options.what == "on" else rate(options.what))
                except argparse.ArgumentTypeError as error:
                    raise Refused(f"traffic: {error}; or say on or off") from None
        case "kill" | "hang" | "restart" | "replace":
            getattr(node_faults, options.command)(place, options.node)
        case "load":
            node_faults.load(place, options.node, options.seconds)
        case "heal":
            healing.heal(place, options.target)
        case "failover":
            workload_faults.failover(place, options.target)
        case "drill":
            return drills.drill(place, options.fault)
        case "backup":
            return drills.verify_backup(place, options.what == "damaged")
        case "loadtest":
            return drills.test_load(place, options.what == "stall")
        case "ready":
            return drills.ready(place, options.url)
        case "add":
            membership.add(place, options.workload)
        case "remove":
            membership.remove(place, options.node)
        case "fill":
            workload_faults.fill_cache(place)
        case "flush":
            workload_faults.flush_cache(place)
        case "lag":
            workload_faults.lag_queues(place, options.entries)
        case "deadlock":
            workload_faults.deadlock(place, options.name)
        case "circuit":
            workload_faults.open_circuit(place, options.service)
    return 0


def main() -> int:
    options = parser().parse_args()
    place = Place(pathlib.Path(os.environ["LAB_DIR"]).absolute())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if options.command == "status":
            return 0 if status.show(place) else 1
        with place.locked():
            return run(place, options)
    except (Refused, ReplyError, OSError) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return 130


sys.exit(main())
