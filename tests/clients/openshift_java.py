"""Does to a running server what the Java client of OpenShift v2 does: forms, `scopes`, SHOW by token, no negotiation.

It sends its password at once, names its version once in `Accept`, and says of every request that it is a form.
"""

import base64
import urllib.parse

from openshift import Checks, Connection, arguments, envelope

FORM = "application/x-www-form-urlencoded"


class Java:
    def __init__(self, given, token=None):
        self.connection = Connection(given)
        basic = base64.b64encode(f"{given.user}:{given.password}".encode()).decode()
        self.authorization = f"Bearer {token}" if token else f"Basic {basic}"
        _, self.api = self.call("GET", given.url.rstrip("/") + "/broker/rest/api")

    def call(self, method, url, /, **parameters):
        headers = {
            "Authorization": self.authorization,
            "Accept": "application/json; version=1.2",
            "User-Agent": "com.openshift.openshift-java-client/2.7.0",
            "Content-Type": FORM,
        }
        body = urllib.parse.urlencode(parameters).encode() if parameters else None
        status, answered, content = self.connection.send(method, urllib.parse.urlsplit(url).path, headers, body)
        return status, envelope(content) if answered.get("content-type", "").startswith("application/json") else None

    def follow(self, links, rel, path=None, /, **parameters):
        """Each `:name` of the link stands for a part of the path."""
        href = links[rel]["href"]
        for placeholder, value in (path or {}).items():
            href = href.replace(placeholder, urllib.parse.quote(value))
        return self.call(links[rel]["method"], href, **parameters)


def main():
    given = arguments(__doc__.split("\n")[0])
    check = Checks()
    client = Java(given)
    links = client.api["data"]
    check("the version asked for is in force", (client.api["api_version"], client.api["version"]) == (1.2, "1.2"))
    offered = links["ADD_AUTHORIZATION"]["optional_params"]
    scope = next(parameter for parameter in offered if parameter["name"] == "scope")
    check("the scopes are offered", scope["valid_options"] == ["session", "read", "userinfo"])

    status, made = client.follow(links, "ADD_AUTHORIZATION", scopes="session", note="java client", expires_in=600)
    check("a form makes an authorization", (status, made["type"]) == (201, "authorization"))
    check("the parameter may be called scopes", made["data"]["scopes"] == "session")
    token = made["data"]["token"]
    status, _ = client.follow(links, "ADD_AUTHORIZATION", scopes="session", note="java client", reuse="true")
    check("one that ends in ten minutes is not taken again", status == 201)

    mine = Java(given, token)
    status, user = mine.follow(links, "GET_USER")
    check("the token shows the account", (status, user["data"]["login"]) == (200, given.user))
    status, shown = mine.follow(links, "SHOW_AUTHORIZATION", {":id": token})
    check("a token shows itself", (status, shown["data"]["token"]) == (200, token))
    check("and how long it lives", 590 <= shown["data"]["expires_in_seconds"] <= 600)
    status, changed = mine.follow(shown["data"]["links"], "UPDATE", note="é & ☃ = 1")
    check("its note is changed by its link", (status, changed["data"]["note"]) == (200, "é & ☃ = 1"))
    status, _ = mine.follow(user["data"]["links"], "ADD_KEY", name="java", type="ssh-dss", content="AAAA+/==")
    check("a key is added", status == 201)
    status, keys = mine.follow(user["data"]["links"], "LIST_KEYS")
    key = next(key for key in keys["data"] if key["name"] == "java")
    check("and listed as it was sent", (status, key["content"]) == (200, "AAAA+/=="))
    status, _ = mine.follow(key["links"], "UPDATE", type="ssh-rsa", content="BBBB")
    check("and changed", status == 200)
    status, gone = mine.follow(key["links"], "DELETE")
    check("and deleted, without a body at this version", (status, gone) == (204, None))
    status, gone = mine.follow(shown["data"]["links"], "DELETE")
    check("the token is revoked by its link", (status, gone) == (204, None))
    status, _ = mine.follow(links, "GET_USER")
    check("and refused", status == 401)
    check("a wrong note is refused in the envelope", client.follow(links, "ADD_AUTHORIZATION", note="x" * 4097)[0] == 422)
    status, gone = client.call("DELETE", links["LIST_AUTHORIZATIONS"]["href"])
    check("all are revoked", (status, gone) == (204, None))
    check("none is left", client.follow(links, "LIST_AUTHORIZATIONS")[1]["data"] == [])
    check.done()


if __name__ == "__main__":
    main()
