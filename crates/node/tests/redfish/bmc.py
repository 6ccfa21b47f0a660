#!/usr/bin/python3
"""A server's management processor that speaks Redfish: as much of it as a fence agent asks for. Its power is asked and switched by
a program, as ipmi_sim does it: `PROGRAM get power` says `power:1`, `PROGRAM set power 0` switches it off.

  PASSWORD=... bmc.py ADDRESS PORT CERTIFICATE USER PROGRAM

Says on which port it listens, and answers until it is ended.
"""

import base64
import hmac
import json
import os
import socketserver
import ssl
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS, PORT, CERTIFICATE, USER, PROGRAM = sys.argv[1:]
LOGIN = "Basic " + base64.b64encode(f"{USER}:{os.environ['PASSWORD']}".encode()).decode()
SYSTEM = "/redfish/v1/Systems/1"
RESET = SYSTEM + "/Actions/ComputerSystem.Reset"
LONGEST = 4096


def power(*order):
    told = subprocess.run([PROGRAM, *order], stdout=subprocess.PIPE, timeout=60, check=True)
    return told.stdout.decode().strip()


def system():
    return {
        "PowerState": "On" if power("get", "power") == "power:1" else "Off",
        "Actions": {"#ComputerSystem.Reset": {"target": RESET}},
    }


PAGES = {
    "/redfish/v1": lambda: {"Systems": {"@odata.id": "/redfish/v1/Systems"}},
    "/redfish/v1/Systems": lambda: {"Members": [{"@odata.id": SYSTEM}]},
    SYSTEM: system,
}


class Handler(BaseHTTPRequestHandler):
    timeout = 60

    def answer(self, status, page):
        body = json.dumps(page).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def is_known(self):
        known = hmac.compare_digest(self.headers.get("Authorization", ""), LOGIN)
        if not known:
            self.answer(401, {"error": {"message": "who are you?"}})
        return known

    def do_GET(self):
        if self.is_known():
            page = PAGES.get(self.path.rstrip("/"))
            self.answer(200, page()) if page else self.answer(404, {})

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length", 0)), LONGEST)
        order = self.rfile.read(length)
        if not self.is_known():
            return
        to = {"On": "1", "ForceOff": "0"}.get(json.loads(order).get("ResetType"))
        if self.path != RESET or to is None:
            self.answer(400, {})
            return
        power("set", "power", to)
        self.answer(200, {})


class Server(ThreadingHTTPServer):
    def server_bind(self):
        # Without a question for its own name: there may be nobody to ask.
        socketserver.TCPServer.server_bind(self)


server = Server((ADDRESS, int(PORT)), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
