#!/usr/bin/env python3
"""A page in a frame of some width, from one origin, so that a script around it
may ask how wide it wants to be. Prints its own address, serves until killed.
Usage: frame.py ADDRESS"""
import http.server
import sys
import urllib.request

FRAME = """<!doctype html><title>?</title>
<iframe id=f width=%d height=700 style="border:0" src="/"></iframe>
<script>document.getElementById('f').onload = function () {
 var e = this.contentDocument.scrollingElement;
 document.title = 'wide ' + e.scrollWidth; };</script>"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/frame/"):
            body = (FRAME % int(self.path[7:])).encode()
        elif self.path == "/":
            url = "http://%s/" % sys.argv[1]
            with urllib.request.urlopen(url, timeout=10) as answer:
                body = answer.read()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
