"""Chromium, told what to do over a pipe: pages at a given size and colour scheme, their pictures and measures."""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import time

from .check import Check, Failed, Skipped


class Browser:
    """One Chromium that ends with the check. Page scripts are not needed: everything is measured from outside."""

    def __init__(self, check: Check):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if not program:
            raise Skipped("chromium is not installed")
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4.
        self.child = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{commands} 4>&{answers}; exec "$@"', "chromium", program, "--headless",
             "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--no-first-run",
             f"--user-data-dir={check.folder / 'chromium'}", "--remote-debugging-pipe", "about:blank"],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        check.closing.callback(self.close)
        self._buffer = b""
        self._number = 0
        self.events: list[dict] = []
        target = self.call("Target.createTarget", {"url": "about:blank"}, session=None)["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self.child.terminate()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def call(self, method: str, parameters: dict | None = None, session: str | None = "own") -> dict:
        """Sends a command and waits for its answer."""
        self._number += 1
        message: dict = {"id": self._number, "method": method, "params": parameters or {}}
        if session == "own" and self.session:
            message["sessionId"] = self.session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read(30)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise Failed(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    session: str | None = None

    def _read(self, seconds: float) -> dict:
        end = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            if not select.select([self._answers], [], [], max(0, end - time.monotonic()))[0]:
                raise Failed(f"the browser did not answer within {seconds:g} s")
            part = os.read(self._answers, 1 << 16)
            if not part:
                raise Failed("the browser has ended")
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, url: str, width: int = 1280, height: int = 900, dark: bool = False, media: str = "") -> None:
        """Loads a page and waits until it is there; `events` holds what happened on the way."""
        self.call("Emulation.setDeviceMetricsOverride",
                  {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.call("Emulation.setEmulatedMedia", {"media": media, "features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.events = []
        self.call("Page.navigate", {"url": url})
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read(30))

    def value(self, expression: str):
        """What a JavaScript expression gives, or its promise; no policy of the page keeps the debugger from it."""
        result = self.call("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in result:
            raise Failed(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def key(self, name: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent",
                      {"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code})

    def picture(self, path: pathlib.Path, whole: bool = False) -> pathlib.Path:
        data = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    def requests(self) -> list[str]:
        """The addresses that the page asked for."""
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What stands on the console: refusals of the page's policy among them."""
        logged = [event["params"]["entry"]["text"] for event in self.events if event.get("method") == "Log.entryAdded"]
        thrown = [str(event["params"]) for event in self.events
                  if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled")]
        return [text for text in logged + thrown if "favicon.ico" not in text]
