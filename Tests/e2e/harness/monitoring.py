"""Debian's Prometheus and Alertmanager on loopback, and whoever gets the pages."""

import email
import email.message
import email.policy
import http.server
import json
import socketserver
import threading
import urllib.parse

from . import http as client
from .check import Check, Ended, Failed
from .paths import TOOLS, tool
from .process import Process


class Server(Process):
    """A program of the Prometheus project, with a configuration file and a port of its own."""

    def __init__(self, check: Check, name: str, program: str, config: str, storage_flag: str, *flags: str):
        self.check = check
        self.port = check.free_port()
        path = check.file(f"{name}/config.yml", config)
        super().__init__(check, name, [
            tool(program), f"--config.file={path}", f"--{storage_flag}={path.parent}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", *flags])
        check.until(self.is_ready, 30, f"{name} is ready")

    def restart(self) -> None:
        """Starts it again once it has ended, on the same port with what it kept."""
        self.wait(10)
        Process.__init__(self, self.check, self.name, self.arguments)
        self.check.until(self.is_ready, 30, f"{self.name} is ready again")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def is_ready(self) -> bool:
        if self.child.poll() is not None:
            raise Ended(f"{self.name} ended with {self.child.returncode}: {self.output()[-2000:]}")
        return client.get(self.port, "/-/ready").status == 200


class Prometheus(Server):
    def __init__(self, check: Check, config: str, name: str = "prometheus", flags: tuple[str, ...] = ()):
        super().__init__(check, name, "prometheus", config, "storage.tsdb.path", *flags)

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and values of an instant vector."""
        response = client.get(self.port, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        answer = json.loads(response.text)
        if answer["status"] != "success":
            raise Failed(f"{expression}: {answer.get('error')}")
        return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]

    def ailing_rules(self) -> list[str]:
        """The rules whose last evaluation failed, such as by series that match many to many, and why."""
        answer = json.loads(client.get(self.port, "/api/v1/rules").text)
        return [f"{rule['name']}: {rule['lastError']}" for group in answer["data"]["groups"] for rule in group["rules"]
                if rule["health"] == "err"]

    def value(self, expression: str) -> float | None:
        """The value of a vector of one; nil of an empty one."""
        samples = self.query(expression)
        if len(samples) > 1:
            raise Failed(f"{expression}: {len(samples)} samples")
        return samples[0][1] if samples else None


class Alertmanager(Server):
    def __init__(self, check: Check, config: str, name: str = "alertmanager"):
        # It looks for its templates from the folder in which it starts.
        link = check.folder / "usr"
        if not link.is_symlink():
            link.symlink_to(TOOLS.parent / "root" / "usr")
        super().__init__(check, name, "prometheus-alertmanager", config, "storage.path", "--cluster.listen-address=")

    def receive(self, *alerts: dict[str, str]) -> None:
        """Takes alerts by their labels, as if Prometheus had just sent them."""
        self.receive_whole(*({"labels": labels} for labels in alerts))

    def receive_whole(self, *alerts: dict) -> None:
        """Takes alerts with all that they carry, such as their annotations and their end."""
        response = client.get(self.port, "/api/v2/alerts", "POST", {"Content-Type": "application/json"},
                              json.dumps(alerts).encode())
        if response.status != 200:
            raise Failed(f"Alertmanager refuses alerts: {response.status} {response.text}")

    def alerts(self) -> list[dict]:
        """What it takes for firing now."""
        return json.loads(client.get(self.port, "/api/v2/alerts").text)

    def inhibited(self) -> list[dict[str, str]]:
        """The labels of alerts that it holds back because others tell their cause."""
        return [alert["labels"] for alert in self.alerts() if alert["status"]["inhibitedBy"]]


def telling_at_once(check: Check, receiver: "Receiver", name: str = "alertmanager") -> Alertmanager:
    """One that tells each alert's beginning and end without delay, and nothing twice."""
    return Alertmanager(check, (
        "route: {receiver: people, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1d}\n"
        f"receivers: [{{name: people, webhook_configs: [{{url: '{receiver.url}', send_resolved: true}}]}}]\n"), name)


class Receiver:
    """A webhook: the notifications that Alertmanager sent, as it sent them, in their order."""

    def __init__(self, check: Check):
        self.notifications: list[dict] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.notifications.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        check.closing.callback(server.server_close)
        check.closing.callback(server.shutdown)

    def told(self, **labels: str) -> list[str]:
        """The states of alerts with these labels through all notifications, in their order."""
        return [alert["status"] for one in list(self.notifications) for alert in one["alerts"]
                if labels.items() <= alert["labels"].items()]


class Mailbox:
    """A mail server that keeps what it is sent, from who gives this password."""

    def __init__(self, check: Check):
        self.messages: list[email.message.EmailMessage] = []
        self.logins: list[str] = []
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

            def handle(self) -> None:
                self.say("220 mailbox")
                for line in self.rfile:
                    words = line.decode().split()
                    match (words or [""])[0].upper():
                        case "EHLO":
                            self.wfile.write(b"250-mailbox\r\n250 AUTH PLAIN\r\n")
                        case "AUTH":
                            mailbox.logins.append(words[2])
                            self.say("235 in")
                        case "DATA":
                            self.say("354 go on")
                            body = b""
                            while not body.endswith(b"\r\n.\r\n"):
                                body += self.rfile.readline()
                            mailbox.messages.append(email.message_from_bytes(
                                body[:-3].replace(b"\r\n..", b"\r\n."), policy=email.policy.default))
                            self.say("250 kept")
                        case "QUIT":
                            return self.say("221 out")
                        case _:
                            self.say("250 good")

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.address = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        check.closing.callback(server.server_close)
        check.closing.callback(server.shutdown)
