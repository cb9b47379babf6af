"""Plays REST tests in the product's own YAML format against a running server, by the plain paths of the calls they name.

Usage: elasticsearch_yaml.py URL ADMIN PASSWORD FILE_OR_FOLDER...
Requests are the administrator's unless a test states an Authorization header. Every test begins without any token: all that
there are, are ended, so the server must be one for tests. Prints one line for each test and one with
their number; exits 1 if one has failed. What a test uses and this does not know is a failure, never passed over.
"""

import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode

import yaml

# Method and path of each call; the first path whose parts are all given is taken.
SECURITY = {
    "authenticate": ("GET", ["/_authenticate"]),
    "get_token": ("POST", ["/oauth2/token"]),
    "invalidate_token": ("DELETE", ["/oauth2/token"]),
    "get_user": ("GET", ["/user/{username}", "/user"]),
    "put_user": ("PUT", ["/user/{username}"]),
    "delete_user": ("DELETE", ["/user/{username}"]),
    "enable_user": ("PUT", ["/user/{username}/_enable"]),
    "disable_user": ("PUT", ["/user/{username}/_disable"]),
    "change_password": ("PUT", ["/user/{username}/_password", "/user/_password"]),
    "get_role": ("GET", ["/role/{name}", "/role"]),
    "put_role": ("PUT", ["/role/{name}"]),
    "delete_role": ("DELETE", ["/role/{name}"]),
}
CALLS = {"info": ("GET", ["/"]), "ping": ("HEAD", ["/"]), "cluster.health": ("GET", ["/_cluster/health"])}
for call, (method, paths) in SECURITY.items():
    CALLS["security." + call] = (method, ["/_security" + path for path in paths])
    CALLS["xpack.security." + call] = (method, ["/_xpack/security" + path for path in paths])

# The statuses that a word after `catch` stands for.
CATCH = {
    "bad_request": [400],
    "unauthorized": [401],
    "forbidden": [403],
    "missing": [404],
    "request_timeout": [408],
    "conflict": [409],
    "unavailable": [503],
    "request": range(400, 600),
}
FEATURES = {"headers"}


class Failed(Exception):
    """Why a test does not hold."""


class Skipped(Exception):
    """Why a test is not for this server."""


class Player:
    """One test: what was answered last, and what was kept."""

    def __init__(self, url, admin, password):
        self.url = url.rstrip("/")
        self.authorization = "Basic " + b64encode(f"{admin}:{password}".encode()).decode()
        self.kept = {}
        self.answer = None

    def play(self, steps):
        for step in steps:
            (name, given), = step.items()
            verb = getattr(self, "step_" + name, None)
            if verb is None:
                raise Failed(f"there is no step `{name}` here")
            verb(given)

    def step_skip(self, given):
        features = given.get("features", [])
        missing = set([features] if isinstance(features, str) else features) - FEATURES
        if missing:
            raise Skipped(f"it needs {', '.join(sorted(missing))}")
        if str(given.get("version", "")).strip() == "all":
            raise Skipped(given.get("reason", "it says so"))

    def step_do(self, given):
        given = dict(given)
        caught, headers = given.pop("catch", None), given.pop("headers", {})
        if len(given) != 1:
            raise Failed(f"one call was expected: {', '.join(given)}")
        (call, arguments), = given.items()
        ignored, status, text = self.send(call, dict(arguments or {}), self.filled(headers))
        self.answer = text
        try:
            self.answer = json.loads(text)
        except ValueError:
            pass
        if caught is None:
            if status >= 400 and status not in ignored:
                raise Failed(f"{call}: {status} {text}")
        elif status < 400:
            raise Failed(f"{call}: `{caught}` was expected, {status} came with {text}")
        elif caught.startswith("/"):
            if not re.search(caught.strip("/"), text):
                raise Failed(f"{call}: {caught} does not match {text}")
        elif caught not in CATCH:
            raise Failed(f"`catch` knows no `{caught}`")
        elif status not in CATCH[caught]:
            raise Failed(f"{call}: `{caught}` was expected, {status} came with {text}")

    def send(self, call, arguments, headers):
        """The statuses that are no failure, the status and the body."""
        if call not in CALLS:
            raise Failed(f"there is no call `{call}` here")
        method, paths = CALLS[call]
        arguments = self.filled(arguments)
        body, ignored = arguments.pop("body", None), arguments.pop("ignore", [])
        ignored = [int(status) for status in (ignored if isinstance(ignored, list) else [ignored])]
        for path in paths:
            parts = re.findall(r"\{(\w+)\}", path)
            if all(part in arguments for part in parts):
                break
        else:
            raise Failed(f"{call} needs more than {', '.join(arguments) or 'nothing'}")
        for part in parts:
            path = path.replace("{" + part + "}", urllib.parse.quote(as_text(arguments.pop(part)), safe=","))
        query = urllib.parse.urlencode({name: as_text(value) for name, value in arguments.items()})
        sent = {"Authorization": self.authorization, **headers}
        data = None
        if body is not None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path + ("?" + query if query else ""), data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return ignored, reply.status, reply.read().decode()
        except urllib.error.HTTPError as reply:
            return ignored, reply.code, reply.read().decode()

    def step_set(self, given):
        for path, name in given.items():
            self.kept[name] = self.at(path)

    def step_match(self, given):
        for path, wanted in given.items():
            got, wanted = self.at(path), self.filled(wanted)
            pattern = isinstance(wanted, str) and re.fullmatch(r"\s*/(.*)/\s*", wanted, re.DOTALL)
            if pattern:
                holds = re.search(pattern[1], as_text(got), re.VERBOSE) is not None
            else:
                # `1` and `true` are two things here, though not in this language.
                holds = got == wanted and isinstance(got, bool) == isinstance(wanted, bool)
            if not holds:
                raise Failed(f"`{path}` is {got!r} and not {wanted!r}")

    def step_is_true(self, path):
        if as_text(self.at(path)).lower() in ("", "false", "0"):
            raise Failed(f"`{path}` is not true: {self.at(path)!r}")

    def step_is_false(self, path):
        if as_text(self.at(path)).lower() not in ("", "false", "0"):
            raise Failed(f"`{path}` is not false: {self.at(path)!r}")

    def step_length(self, given):
        for path, wanted in given.items():
            got = self.at(path)
            if got is None or len(got) != self.filled(wanted):
                raise Failed(f"`{path}` has not the length {wanted}: {got!r}")

    def at(self, path):
        """What stands at a path of the last answer, `None` if nothing does."""
        value = self.answer
        if path in ("$body", ""):
            return value
        for part in re.split(r"(?<!\\)\.", self.filled(path)):
            part = str(part).replace("\\.", ".")
            if isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            elif isinstance(value, dict):
                value = value.get(part)
            else:
                return None
        return value

    def filled(self, value):
        """`value` with what was kept in the place of each `$name` and `${name}`."""
        if isinstance(value, dict):
            return {self.filled(name): self.filled(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"\$(\w+)", value)
        if whole and whole[1] != "body":
            return self.named(whole[1])
        return re.sub(r"\$\{(\w+)\}", lambda found: as_text(self.named(found[1])), value)

    def named(self, name):
        if name not in self.kept:
            raise Failed(f"nothing was kept as `{name}`")
        return self.kept[name]


def as_text(value):
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


def tests_in(path):
    """Set-up, teardown and the tests of a file."""
    sections = {}
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        for name, steps in (document or {}).items():
            if name in sections:
                raise SystemExit(f"{path}: `{name}` stands there twice")
            sections[name] = steps
    setup, teardown = sections.pop("setup", []), sections.pop("teardown", [])
    return setup, teardown, sections


def main(url, admin, password, *places):
    found = [pathlib.Path(place) for place in places]
    files = [file for path in found for file in (sorted(path.rglob("*.yml")) if path.is_dir() else [path])]
    if not files:
        raise SystemExit(__doc__)
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    for file in files:
        setup, teardown, tests = tests_in(file)
        for name, steps in tests.items():
            player, outcome, why = Player(url, admin, password), "ok", []
            # The product's own runner empties the cluster before each test; what these count are tokens.
            player.send("security.invalidate_token", {"body": {"realm_name": "default_native"}}, {})
            try:
                player.play(setup)
                player.play(steps)
            except Skipped as reason:
                outcome, why = "skip", [str(reason)]
            except Failed as failure:
                outcome, why = "FAIL", [str(failure)]
            # Also after a failure, so that the next test begins as this one did.
            try:
                player.play(teardown)
            except Failed as failure:
                outcome, why = "FAIL", [*why, f"teardown: {failure}"]
            counts[outcome] += 1
            print(f"{outcome:4} {file.name}: {name}" + "".join(f"\n     {line}" for line in why), flush=True)
    verdict = "FAILED" if counts["FAIL"] else "ok"
    print(f"test result: {verdict}. {counts['ok']} passed; {counts['FAIL']} failed; {counts['skip']} ignored")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
