"""Receives webhooks: checks who sent them, does what is to be done once, and answers at once.

    pip install standardwebhooks
    export WEBHOOK_SECRET=whsec_…          # what createWebhookEndpoint answered, this once
    python webhook_receiver.py 9000        # listens at http://127.0.0.1:9000/

To try it, start the demo with GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES=true. Without it only public addresses are called, by
https. Then run in GraphiQL, with the demo's token in the headers, and testWebhookEndpoint with the endpoint's id:

    mutation {
      createWebhookEndpoint(input: { url: "http://127.0.0.1:9000/", topics: [ORDER_PLACED, SHIPMENT_UPDATED] }) {
        endpoint { id }
        secret
      }
    }
"""

import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

LONGEST = 1_000_000

# Every message has an id, which is the same when it is sent again. A message that was handled may well be sent again:
# when our answer was lost on the way. So the ids of those handled are kept – here for good, a day would do.
SEEN = "CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)"
NEW = "INSERT INTO handled (id) VALUES (?) ON CONFLICT DO NOTHING"


def handle(message):
    """What the shop wants done. Keep it short, or put it into a queue: after 15 seconds it counts as not taken."""
    print(message["type"], message["data"], flush=True)


def take(message_id, message, file):
    """Handle a message unless it was handled before; all or nothing, so that a crash in between does not lose it."""
    database = sqlite3.connect(file, timeout=10)
    try:
        with database:  # commits at the end of the block, or rolls back
            database.execute(SEEN)
            if database.execute(NEW, [message_id]).rowcount == 1:
                handle(message)
    finally:
        database.close()


class Receiver(BaseHTTPRequestHandler):
    webhook = None
    file = "handled.db"

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if length > LONGEST:
            self.answer(413)
            return
        body = self.rfile.read(length)
        try:
            # The signature is over the very bytes: check before anything is parsed. Messages older than five minutes are
            # refused too, so that nobody can send again what they have overheard. After a rotation a message has two
            # signatures for a day: one that matches is enough.
            message = self.webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
        except WebhookVerificationError:
            self.answer(401)
            return
        take(self.headers["webhook-id"], message, self.file)
        self.answer(204)  # any 2xx: taken. Whatever else, an exception as well: it is sent again later.

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing but what is handled."""


if __name__ == "__main__":
    Receiver.webhook = Webhook(os.environ["WEBHOOK_SECRET"])
    Receiver.file = os.environ.get("WEBHOOK_DATABASE", Receiver.file)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Receiver).serve_forever()
