"""A web site on 127.0.0.1 for crawlers: pages are a table, and what was asked is remembered with its time."""
import http.server
import ssl
import threading
import time


class Site:
    """Pages: path -> (status, headers, body), or a function of (request headers, how often it was asked) that gives them."""

    def __init__(self, pages, address="127.0.0.1", tls=None):
        """`tls`: files of a certificate and its key."""
        self.pages, self.asked, self.lock = pages, [], threading.Lock()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body in one packet

            def handle(self):
                try:
                    super().handle()
                except OSError:  # a client that had enough, or was killed
                    self.wfile = open("/dev/null", "wb")

            def do_GET(self):
                with site.lock:
                    site.asked.append((self.path, time.monotonic(), dict(self.headers)))
                    times = sum(1 for path, _, _ in site.asked if path == self.path)
                page = site.pages.get(self.path) or site.pages.get("*")
                if page is None:
                    page = (404, {}, b"nothing here")
                if callable(page):
                    page = page(self, times)
                if page is None:  # it has answered by itself
                    return
                status, headers, body = page
                self.send_response(status)
                for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **headers}.items():
                    if value is not None:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://{address}:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def paths(self):
        with self.lock:
            return [path for path, _, _ in self.asked]

    def forget(self):
        with self.lock:
            self.asked.clear()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
