"""Who may read the pages, and how Redline logs in to Redis."""

import base64
import json
import os
import signal

from harness import exporters, servers
from harness.check import Check
from harness.passwords import bcrypt_hash


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def guarded(check: Check, exporter: exporters.Exporter) -> None:
    for path in ("/metrics", "/health", "/", "/-/reload", "/scrape?target=x"):
        response = exporter.get(path)
        check.equal(response.status, 401, f"{path} without a password")
        check.that(response.headers.get("www-authenticate", "").startswith("Basic realm="), f"the challenge of {path}")
    for headers in (basic("reader", "wrong"), basic("other", "web-word"), {"Authorization": "Basic"},
                    {"Authorization": "Basic !!!!"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic " + "A" * 5000},
                    basic("reader", ""), basic("", "web-word"), {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()}):
        check.equal(exporter.get(headers=headers).status, 401, f"{list(headers.values())[0][:40]}")
    for _ in range(3):
        check.equal(exporter.get(headers=basic("reader", "web-word")).status, 200, "the right password")
    check.that("web-word" not in exporter.output(), "the password is in the log")


def check_basic_by_flags(check: Check) -> None:
    server = servers.RedisServer(check)
    guarded(check, exporters.redline(check, server.url, "--basic-auth-username=reader", environment={
        "REDIS_EXPORTER_BASIC_AUTH_PASSWORD": "web-word"}))


def check_basic_by_hash(check: Check) -> None:
    server = servers.RedisServer(check)
    guarded(check, exporters.redline(check, server.url, "--basic-auth-username=reader", environment={
        "REDIS_EXPORTER_BASIC_AUTH_HASH_PASSWORD": bcrypt_hash("web-word")}))


def check_basic_by_web_config(check: Check) -> None:
    server = servers.RedisServer(check)
    config = check.file("web.yml", f"basic_auth_users:\n  reader: {bcrypt_hash('web-word')}\n")
    guarded(check, exporters.redline(check, server.url, f"--web.config.file={config}"))


def check_password_and_hash_conflict(check: Check) -> None:
    exporter = exporters.redline(check, "redis://127.0.0.1:1", "--basic-auth-username=a", "--basic-auth-password=b",
                                 f"--basic-auth-hash-password={bcrypt_hash('b')}", wait=False)
    check.that(exporter.wait(5) > 0, "both kinds of password are an error")


def check_bad_web_config(check: Check) -> None:
    """The message names the file, the line and the field."""
    for text, field in (("basic_auth_userz:\n  a: b\n", "basic_auth_userz"), ("tls_server_config:\n  cert_file: [1]\n", "cert_file"),
                        ("basic_auth_users: {a: plain}\n", "basic_auth_users"), ("a: b: c\n", "")):
        config = check.file("bad.yml", text)
        exporter = exporters.redline(check, "redis://127.0.0.1:1", f"--web.config.file={config}", wait=False)
        check.that(exporter.wait(5) > 0, f"{text!r} is an error")
        check.that("bad.yml:" in exporter.output() and field in exporter.output(), f"the message is {exporter.output()!r}")


def up(check: Check, exporter: exporters.Exporter, text: str) -> None:
    check.equal(exporter.page().value("redis_up"), 1, f"redis_up with {text}")


def check_redis_passwords(check: Check) -> None:
    """requirepass and ACL users, from environment, flag, URL and file."""
    word = "s3cret:wörd@/%"
    server = servers.RedisServer(check, f"requirepass \"{word}\"", "user watcher on >acl-word +@all ~* &*", password=word)
    up(check, exporters.redline(check, server.url, environment={"REDIS_PASSWORD": word}), "REDIS_PASSWORD")
    up(check, exporters.redline(check, server.url, f"--redis.password={word}"), "--redis.password")
    up(check, exporters.redline(check, server.url, "--redis.user=watcher", environment={"REDIS_PASSWORD": "acl-word"}), "an ACL user")
    up(check, exporters.redline(check, f"redis://watcher:acl-word@127.0.0.1:{server.port}"), "an ACL user in the URL")
    encoded = "s3cret%3Aw%C3%B6rd%40%2F%25"
    up(check, exporters.redline(check, f"redis://:{encoded}@127.0.0.1:{server.port}"), "an encoded password in the URL")


def check_password_map(check: Check) -> None:
    """The JSON map of addresses: read at start, again by /-/reload and by SIGHUP, and never shown."""
    server = servers.RedisServer(check, "requirepass first-word", password="first-word")
    passwords = check.file("passwords.json", json.dumps({server.url: "first-word", "redis://other:1": "other-word"}))
    exporter = exporters.redline(check, server.url, exporters.FRESH, f"--redis.password-file={passwords}")
    up(check, exporter, "the password map")
    up_by_scrape = exporter.page(f"/scrape?target={server.url}").value("redis_up")
    check.equal(up_by_scrape, 1, "redis_up by /scrape with the map")

    def change(word: str) -> None:
        with server.client() as redis:
            redis("CONFIG", "SET", "requirepass", word)
            redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        server.password = word
        passwords.write_text(json.dumps({server.url: word}))

    change("second-word")
    check.equal(exporter.get("/-/reload", method="POST").status, 200, "/-/reload")
    check.until(lambda: exporter.page().value("redis_up") == 1, 15, "redis_up with the reloaded map")
    change("third-word")
    os.kill(exporter.pid, signal.SIGHUP)
    check.until(lambda: exporter.page().value("redis_up") == 1, 15, "redis_up after SIGHUP")
    passwords.write_text("{not json")
    check.equal(exporter.get("/-/reload", method="POST").status, 500, "/-/reload of a broken map")
    up(check, exporter, "the last good map")
    words = exporter.output() + exporter.get().text + exporter.get("/").text
    check.that(not any(word in words for word in ("first-word", "second-word", "third-word", "other-word")),
               "a password is in the log or on a page")


def check_reload_without_a_map(check: Check) -> None:
    exporter = exporters.redline(check, servers.RedisServer(check).url)
    check.equal(exporter.get("/-/reload", method="POST").status, 400, "/-/reload without a password file")


def check_secrets_stay_hidden(check: Check) -> None:
    """Neither --help, --debug nor the process list shows a password that came by the environment."""
    server = servers.RedisServer(check, "requirepass hidden-word", password="hidden-word")
    environment = {"REDIS_PASSWORD": "hidden-word", "REDIS_EXPORTER_BASIC_AUTH_PASSWORD": "hidden-web"}
    exporter = exporters.redline(check, server.url, "--debug", "--basic-auth-username=reader", environment=environment)
    exporter.get()
    helped = exporters.redline(check, None, "--help", environment=environment, wait=False)
    helped.wait(5)
    words = exporter.output() + helped.output()
    check.that("hidden-w" not in words, "a password is in the log or in the help")
