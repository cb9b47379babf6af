"""Does to a running server what the command line client rhc does, request by request (contract/openshift.md section 11).

Where rhc would crash or give up, this does, too: on a link with an explicit port, on one that leads elsewhere than its entry
point, on a missing link, on a date with a fraction, on a scope description that it cannot read.
"""

import base64
import json
import re
import urllib.parse

from openshift import Checks, Connection, arguments, envelope

KNOWN = [1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]
NOTE = "RHC/1.38.7 (from a-machine on x86_64-linux)"
KEY = "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDEx"


class Refused(Exception):
    """The server said no: its status, and the text that rhc prints."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


class Crash(Exception):
    """Where rhc ends with a stack trace."""


class Rhc:
    """One run of rhc: it forgets everything but the token it was given."""

    def __init__(self, given, token=None, password=True):
        self.connection = Connection(given)
        self.entry = given.url.rstrip("/") + "/broker/rest/api"
        self.token = token
        self.password = (given.user + ":" + given.password) if password else None
        self.version = None
        self.prompts = 0
        self.api = self.negotiate()

    # What is asked

    def negotiate(self):
        """The links, in the newest version both sides know."""
        body = self.call("GET", self.entry, lazy=True)
        offered = body["supported_api_versions"]
        known = [version for version in KNOWN if version in offered]
        if not known:
            raise Crash("no common version")
        self.version = known[-1]
        if body["api_version"] != self.version:
            body = self.call("GET", self.entry, lazy=True)
        return body["data"]

    def sign_in(self):
        """A token that is stored, instead of the password."""
        options = {"scope": "session", "note": NOTE, "reuse": True}
        data = self.follow(self.api, "ADD_AUTHORIZATION", options)["data"]
        self.token = data["token"]
        return data

    def account(self):
        return self.follow(self.api, "GET_USER")["data"]

    def authorizations(self):
        """What `rhc authorization list` prints of each."""
        listed = self.follow(self.api, "LIST_AUTHORIZATIONS")["data"]
        for one in listed:
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["created_at"]):
                raise Crash("Unknown date")
        return [(one["token"], one["scopes"], one["note"], one["expires_in_seconds"]) for one in listed]

    def scopes(self):
        """The table that `rhc authorization add` shows without options."""
        parameters = self.api["ADD_AUTHORIZATION"]["optional_params"]
        text = next(parameter["description"] for parameter in parameters if parameter["name"] == "scope")
        rows = [(name.strip(), said.strip()) for name, said in re.findall(r"\*([^\n]*)\n([^\n]*)(?:\n|\Z)", text)]
        if not rows or not all(name and said for name, said in rows):
            raise Crash("the scopes cannot be read")
        return rows

    def add(self, **options):
        return self.follow(self.api, "ADD_AUTHORIZATION", options)["data"]

    def delete(self, token):
        return self.follow(self.api, "SHOW_AUTHORIZATION", method="DELETE", fill={":id": token})

    def delete_all(self):
        return self.follow(self.api, "LIST_AUTHORIZATIONS", method="DELETE")

    def logout_everywhere(self):
        self.account()
        return self.delete_all()

    def setup(self):
        """The stages of `rhc setup` in their order: keys, then domains, then cartridges."""
        user = self.account()
        if not user["id"] or not user["login"]:
            raise Crash("no account")
        keys = self.follow(user, "LIST_KEYS")["data"]
        if not any(key["content"] == KEY for key in keys):
            self.follow(user, "ADD_KEY", {"name": "default", "type": "ssh-rsa", "content": KEY})
        domains = self.follow(self.api, "LIST_DOMAINS")
        cartridges = self.follow(self.api, "LIST_CARTRIDGES")
        return domains["type"], domains["data"], cartridges["type"], cartridges["data"]

    # How it is asked

    def follow(self, resource, name, payload=None, method=None, fill=None):
        link = resource["links"].get(name) if "links" in resource else resource.get(name)
        if link is None:
            raise Crash(f"no link {name}")
        href = link["href"]
        if fill is not None:
            # The pattern takes the port of `https://host:8443/` for a name, too.
            for placeholder in re.findall(r":\w+", href):
                if placeholder not in fill:
                    raise Crash(f"nothing to put in for {placeholder}")
                href = href.replace(placeholder, fill[placeholder])
        return self.call(method or link["method"], href, payload)

    def call(self, method, url, payload=None, lazy=False):
        media_type = "application/json" + (f";version={self.version}" if self.version else "")
        headers = {"Accept": media_type, "User-Agent": "rhc/1.38.7"}
        body = None
        if method != "GET":
            headers["Content-Type"] = media_type
            body = None if payload is None else json.dumps(payload).encode()
        target = urllib.parse.urlsplit(url)
        if target.scheme != urllib.parse.urlsplit(self.entry).scheme or target.netloc != self.connection.authority:
            raise Crash(f"{url} is not reached over the connection to {self.entry}")
        path = target.path + ("?" + target.query if target.query else "")
        if self.token and not lazy:
            headers["Authorization"] = "Bearer " + self.token
        status, answered, content = self.connection.send(method, path, headers, body)
        if status == 401 and self.token and not lazy:
            if not self.password:
                raise Refused(401, "Your authorization token is expired or invalid.")
            self.token = None
            self.prompts += 1
            self.sign_in()
            return self.call(method, url, payload)
        if status == 401 and self.password and not lazy:
            # The library sends a password only where it was asked to, and below its entry point.
            if not answered.get("www-authenticate", "").startswith('Basic realm="'):
                raise Refused(401, "no challenge for a password")
            if not url.startswith(self.entry.rsplit("/", 1)[0] + "/"):
                raise Crash(f"{url} is not below the entry point")
            headers["Authorization"] = "Basic " + base64.b64encode(self.password.encode()).decode()
            status, answered, content = self.connection.send(method, path, headers, body)
        if status == 204:
            return None
        if status == 401:
            raise Refused(401, "Not authenticated")
        answer = envelope(content)
        if status >= 400:
            raise Refused(status, next(m["text"] for m in answer["messages"] if m["severity"] == "error"))
        return answer


def raises(kind, call, status=None):
    try:
        call()
    except kind as refused:
        return status is None or refused.status == status
    return False


def main():
    given = arguments(__doc__.split("\n")[0])
    check = Checks()

    rhc = Rhc(given)
    check("the newest common version is 1.7", rhc.version == 1.7)
    check("the entry point takes one request", rhc.connection.sent == 1)
    data = rhc.sign_in()
    check("a password signs in, over one connection that is kept", rhc.connection.sent == 3)
    check("what came is a session", data["scopes"] == "session" and re.fullmatch("[0-9a-f]{64}", data["token"]))
    check("the account is shown", rhc.account()["login"] == given.user)
    check("its token is listed", [one[:3] for one in rhc.authorizations()] == [(rhc.token, "session", NOTE)])

    again = Rhc(given)
    check("signing in again takes the same token", again.sign_in()["token"] == rhc.token)
    check("setup finds its way", again.setup() == ("domains", [], "cartridges", []))
    check("and adds the key only once", again.setup() and len(again.follow(again.account(), "LIST_KEYS")["data"]) == 1)

    table = rhc.scopes()
    check("the scopes are described", [name for name, _ in table] == ["session", "read", "userinfo"])
    check("with their lives", all(re.search(r"Valid for \d+ \w+\.$", said) for _, said in table))
    added = rhc.add(scope="read,userinfo", note="two", expires_in="100")
    check("an authorization is added", (added["scopes"], added["expires_in"]) == ("read userinfo", 100))
    added = rhc.add(scope="read", note=None, expires_in=None)
    check("options that are not given come as null", (added["note"], added["expires_in"]) == (None, 2592000))
    check("an unknown scope is refused in words", raises(Refused, lambda: rhc.add(scope="nonsense"), 422))

    reader = Rhc(given, token=added["token"], password=False)
    check("a read token reads the account", reader.account()["login"] == given.user)
    check("but no authorizations", raises(Refused, reader.authorizations, 403))
    check("and makes none", raises(Refused, lambda: reader.add(scope="session"), 403))

    if urllib.parse.urlsplit(given.url).port:
        check("a link with a port crashes rhc, as known", raises(Crash, lambda: rhc.delete(added["token"])))
    else:
        rhc.delete(added["token"])
        check("a token is deleted", added["token"] not in [one[0] for one in rhc.authorizations()])
        rhc.delete(added["token"])
        check("deleting it again is fine", True)
        check("without a prompt a dead token is an error", raises(Refused, reader.account, 401))
        own = Rhc(given, token=rhc.token, password=False)
        own.delete(own.token)
        check("logging out ends the own token", raises(Refused, own.account, 401))
        check("a dead token is replaced by asking for the password", rhc.account()["login"] == given.user)
        check("once", rhc.prompts == 1 and rhc.token != again.token)

    rhc.logout_everywhere()
    check("logging out everywhere ends every token", raises(Refused, Rhc(given, rhc.token, False).account, 401))
    check("and leaves none", Rhc(given).authorizations() == [])
    check.done()


if __name__ == "__main__":
    main()
