"""Receives the mail and the webhooks of the program, and checks their content and their signatures."""

import email
import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PROGRAM, FOLDER = sys.argv[1], Path(sys.argv[2])
DATABASE = FOLDER / "data" / "lethe.db"
# Values of the member of staff and of a user: none of them may be in a message, in the log or in the queue.
STAFF_ADDRESS = "post.canary@example.org"
NAMES = ["Quillfeather", "Zanzibarsky"]
PASSWORD_OF_SERVER = "s3cret of the mail server"
TIMEOUT = 60


class Mailbox:
    """Keeps the received mail. Rejects the first one for now, so that it must be sent again."""

    def __init__(self):
        self.received, self.rejected = [], 0

    async def handle_DATA(self, server, session, envelope):
        if self.rejected == 0:
            self.rejected += 1
            return "451 4.7.1 Try again later"
        self.received.append((session.authenticated, envelope))
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (b"lethe", PASSWORD_OF_SERVER.encode())
    return AuthResult(success=known)


class Hook(BaseHTTPRequestHandler):
    """Keeps the received webhooks. Answers the first one with an error."""

    received = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Hook.received.append((dict(self.headers), body))
        self.send_response(503 if len(Hook.received) == 1 else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


def wait(what, found):
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        if found():
            return
        time.sleep(0.2)
    sys.exit(f"Not in time: {what}\n{(FOLDER / 'log').read_text()}")


def certificate():
    """Makes a certificate for the mail server, and the authority that the program trusts."""
    run = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    more = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([*run, *more, "-keyout", "key.pem", "-out", "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert.pem", "key.pem")
    return context


def sql(statement):
    with sqlite3.connect(DATABASE, timeout=30) as database:
        return database.execute(statement).fetchall()


class Desk:
    """A signed-in browser."""

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    def __init__(self, address):
        self.address, self.cookie, self.token = address, "", ""

    def send(self, path, body=None):
        headers = {"Cookie": self.cookie}
        data = None if body is None else urlencode(body).encode()
        opener = build_opener(ProxyHandler({}), Desk.Stay)
        opener.addheaders = []
        request = Request(self.address + path, data=data, headers=headers)
        try:
            answer = opener.open(request)
        except OSError as error:
            answer = error
        if answer.headers["set-cookie"]:
            self.cookie = answer.headers["set-cookie"].split(";")[0]
        return answer.status, answer.read().decode()

    def post(self, function, page, fields):
        _, html = self.send(page)
        token = re.search(r'name="form_token" value="([^"]+)"', html)
        key = re.search(r'name="form_key" value="([^"]+)"', html)
        more = {"form_token": token[1], "form_key": key[1]} if token else {}
        return self.send(f"/do/{function}?page={page}", {**fields, **more})


def main():
    context = certificate()
    mailbox = Mailbox()
    mail = Controller(
        mailbox, hostname="127.0.0.1", port=free_port(), server_hostname="localhost", tls_context=context, require_starttls=True,
        authenticator=authenticate, auth_required=True,
    )
    mail.start()
    hooks = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hooks.serve_forever, daemon=True).start()
    hook = f"http://127.0.0.1:{hooks.server_port}/lethe"
    Path("password").write_text(PASSWORD_OF_SERVER + "\n")
    environment = {
        **os.environ,
        "LETHE_DATABASE_URL": f"sqlite://{DATABASE}?mode=rwc",
        "LETHE_ADDR": "127.0.0.1:0",
        "LETHE_ALLOW_PASSWORD_ONLY": "1",
        "LETHE_FOUR_EYES": "off",
        "LETHE_SMTP_HOST": "localhost",
        "LETHE_SMTP_PORT": str(mail.port),
        "LETHE_SMTP_USER": "lethe",
        "LETHE_SMTP_PASSWORD_FILE": "password",
        "LETHE_MAIL_FROM": "Town Library <lethe@example.org>",
        "LETHE_WEBHOOK_PRIVATE_ADDRESSES": "1",
        # The authority of the mail server's certificate.
        "SSL_CERT_FILE": str(FOLDER / "cert.pem"),
    }

    def command(*words):
        done = subprocess.run([PROGRAM, *words], env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    accounts = json.loads(command("--json", "demo", "--users", "60"))
    command("library", "set", "--name", "Büchersaal & Co")
    staff = next(one["user_id"] for one in accounts["accounts"] if "administrator" in one["roles"])
    sql(f"UPDATE users SET email = '{STAFF_ADDRESS}', last_name = '{NAMES[0]}' WHERE user_id = '{staff}'")
    log = open(FOLDER / "log", "w")
    server = subprocess.Popen([PROGRAM, "serve"], env=environment, stderr=log)
    try:
        check(server, command, mailbox, hook, staff, accounts["password"])
    finally:
        server.terminate()
        server.wait()
        mail.stop()
        hooks.shutdown()
    written = (FOLDER / "log").read_text()
    for value in [STAFF_ADDRESS, PASSWORD_OF_SERVER, *NAMES]:
        assert value not in written, f"{value} is in the log"
    print(f"notifications: {len(mailbox.received)} mails and {len(Hook.received)} webhooks received and verified")


def check(server, command, mailbox, hook, staff, password):
    pattern = re.compile(r"Lethe is at (http://[0-9.:]+)")
    wait("the server", lambda: server.poll() is None and pattern.search((FOLDER / "log").read_text()))
    desk = Desk(pattern.search((FOLDER / "log").read_text())[1])
    status, html = desk.post("sign_in", "/sign-in", {"form[user_id]": staff, "form[password]": password})
    assert status == 303, html
    events = {f"form[events][{event}]": "true" for event in ["run_failed", "run_stopped"]}
    status, html = desk.post("choose_notifications", "/account", {"form[sent]": "true", **events})
    assert status == 303, html
    fields = {"form[name]": "Monitoring", "form[url]": hook, **events}
    status, html = desk.post("create_webhook", "/notifications", fields)
    assert status == 200, html
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", html)[0]
    assert secret not in desk.send("/notifications")[1], "the secret is shown once"

    # A scheduled run of a task whose settings were never confirmed stops and waits for confirmation.
    sql(f"UPDATE users SET last_name = '{NAMES[1]}' WHERE number = 30")
    sql("UPDATE tasks SET confirmed_settings = NULL, active = TRUE, next_due_at = '2018-01-01T00:00:00+00:00', "
        "schedule = '{\"kind\":\"daily\",\"time\":\"03:00:00\"}', missed = 'once' WHERE id = 1")
    stopped = lambda: sql("SELECT id FROM runs WHERE state = 'stopped_by_limit'")
    wait("a stopped run", stopped)
    run = stopped()[0][0]
    # Both receivers reject the first attempt; the next one follows half a minute later.
    wait("the second attempts", lambda: mailbox.received and len(Hook.received) >= 2)

    (authenticated, envelope), *more = mailbox.received
    assert authenticated and not more, "one mail, from an authenticated connection"
    assert envelope.rcpt_tos == [STAFF_ADDRESS] and envelope.mail_from == "lethe@example.org", envelope
    message = email.message_from_bytes(envelope.content, policy=policy.default)
    assert message["from"] == "Town Library <lethe@example.org>" and message["to"] == STAFF_ADDRESS, message
    subject = f"[Büchersaal & Co] Run {run} of task 1 was stopped by a safety limit and is waiting for confirmation"
    assert message["subject"] == subject, message["subject"]
    text = message.get_content()
    assert f"/runs/{run}" in text and "account" in text, text

    webhook = Webhook(secret)
    first, second = Hook.received[:2]
    for headers, body in (first, second):
        payload = webhook.verify(body, {name.lower(): value for name, value in headers.items()})
        assert payload["type"] == "run.stopped" and payload["data"]["run"] == run, payload
    header = lambda headers: {name.lower(): value for name, value in headers.items()}
    assert header(first[0])["webhook-id"] == header(second[0])["webhook-id"], "an attempt keeps its id"
    for body, secret_of in [(second[1] + b" ", secret), (second[1], "whsec_" + "A" * 43 + "=")]:
        try:
            Webhook(secret_of).verify(body, header(second[0]))
            sys.exit("A changed webhook or another secret was accepted")
        except WebhookVerificationError:
            pass
    for value in [STAFF_ADDRESS, *NAMES]:
        assert value.encode() not in second[1] and value not in text, f"{value} is in a message"

    # The queue and the audit contain neither the address nor a name.
    for table in ["notifications", "notification_deliveries", "notification_choices", "webhooks", "audit_events"]:
        stored = repr(sql(f"SELECT * FROM {table}"))
        for value in [STAFF_ADDRESS, secret, *NAMES]:
            assert value not in stored, f"{value} is in {table}"
    states = sql("SELECT state, attempts FROM notification_deliveries ORDER BY id")
    assert states == [("delivered", 2), ("delivered", 2)], states
    listed = desk.send("/notifications")[1]
    assert listed.count("Delivered") >= 2, listed

    # A test message arrives, too.
    status, html = desk.post("send_test_mail", "/notifications", {})
    assert status == 303, html
    wait("the test mail", lambda: len(mailbox.received) == 2)


main()
