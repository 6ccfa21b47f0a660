"""A real SMTP server (Debian's python3-aiosmtpd) with STARTTLS and AUTH and a real mailbox, for the tests.

smtpd.py MAILDIR CERT KEY MODE: prints its port and serves until its standard input is closed.
MODE: starttls (log-in needed, and only after STARTTLS), bare (neither is offered), drop (takes a mail and loses it).
"""

import asyncio
import ssl
import sys

from aiosmtpd.handlers import Mailbox, Sink
from aiosmtpd.smtp import SMTP, AuthResult

maildir, cert, key, mode = sys.argv[1:]


def log_in(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"simrs", b"rahasia")
    return AuthResult(success=good, handled=False)


class Keeps(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 No such user"
        if address.startswith("later@"):
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"


async def serve():
    handler = Sink() if mode == "drop" else Keeps(maildir)
    options = {}
    if mode != "bare":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
        options = {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": log_in,
        }
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop, **options), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
