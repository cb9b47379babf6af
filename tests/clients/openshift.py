"""What the two OpenShift clients below share: one connection that is kept, and checks that are counted."""

import argparse
import http.client
import json
import os
import socket
import ssl
import sys
import urllib.parse


def arguments(about):
    """URL, user and password, and where to connect to instead of resolving the URL's host."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("url", help="scheme, host and port as the client is told them")
    parser.add_argument("--connect", metavar="ADDRESS:PORT", help="where that is, as for curl's --connect-to")
    parser.add_argument("--ca", metavar="FILE", help="certificate to trust")
    parser.add_argument("--user", default="admin")
    given = parser.parse_args()
    # Not on the command line, where every process could read it.
    given.password = os.environ["OPENSHIFT_PASSWORD"]
    return given


class Connection:
    """HTTP/1.1 over one connection. It is an error of the server to close it."""

    def __init__(self, given):
        target = urllib.parse.urlsplit(given.url)
        port = target.port or {"http": 80, "https": 443}[target.scheme]
        address, at = given.connect.rsplit(":", 1) if given.connect else (target.hostname, port)
        plain = socket.create_connection((address, int(at)), timeout=30)
        if target.scheme == "https":
            trust = ssl.create_default_context(cafile=given.ca)
            plain = trust.wrap_socket(plain, server_hostname=target.hostname)
        self.http = http.client.HTTPConnection(target.hostname, port)
        self.http.auto_open = 0
        self.http.sock = plain
        self.authority = target.netloc
        self.sent = 0

    def send(self, method, path, headers, body=None):
        """Status, headers (names in lower case) and body."""
        assert self.http.sock is not None, "the server has closed the connection"
        self.sent += 1
        # One and the same connection is used, so hosts can differ only by mistake of the caller.
        self.http.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        self.http.putheader("Host", self.authority)
        for name, value in headers.items():
            self.http.putheader(name, value)
        if body is not None or method not in ("GET", "HEAD"):
            self.http.putheader("Content-Length", str(len(body or b"")))
        self.http.endheaders(body or None)
        answer = self.http.getresponse()
        content = answer.read()
        assert not answer.will_close, f"{method} {path}: {answer.status}, and the connection is closed"
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


class Checks:
    """Prints one line for each check, and how many held."""

    def __init__(self):
        self.passed = 0

    def __call__(self, name, holds):
        if not holds:
            print("FAIL " + name, flush=True)
            sys.exit(1)
        print("ok   " + name, flush=True)
        self.passed += 1

    def done(self):
        print(f"{self.passed} passed, 0 failed")


def envelope(content):
    """The body of an answer, which has every member of the envelope."""
    body = json.loads(content)
    for member in ("api_version", "version", "supported_api_versions", "status", "type", "data", "messages"):
        assert member in body, f"the envelope has no {member}"
    return body
