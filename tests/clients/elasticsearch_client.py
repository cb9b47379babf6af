"""Drives a running server with an official Elasticsearch client, unmodified, of whichever generation is installed.

Usage: elasticsearch_client.py URL ADMIN PASSWORD
Prints one line for each check and one with their number; exits 1 if one has failed.
"""

import sys
import threading
import warnings

import elasticsearch
from elasticsearch import Elasticsearch

URL, ADMIN, PASSWORD = sys.argv[1:4]
MAJOR = elasticsearch.__version__[0]
# Users of this generation, so that runs do not meet.
USER, OTHER, SECRET = f"py{MAJOR}", f"py{MAJOR}-other", "the password of a client"
passed = failed = 0

# A client of 7.17 that is refused cannot see the product header of `GET /` and says so.
warnings.filterwarnings("ignore", message=".*unable to verify that the server is Elasticsearch")


def check(name, holds):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    print(("ok   " if holds else "FAIL ") + name, flush=True)


def client(name=USER, password=SECRET, token=None):
    """A client with name and password, or with a token."""
    if MAJOR >= 8:
        return Elasticsearch(URL, bearer_auth=token) if token else Elasticsearch(URL, basic_auth=(name, password))
    if token:
        return Elasticsearch(URL, headers={"Authorization": "Bearer " + token})
    return Elasticsearch(URL, http_auth=(name, password))


def security(of):
    return of.xpack.security if MAJOR == 6 else of.security


def get_token(of, **body):
    return security(of).get_token(**body) if MAJOR >= 8 else security(of).get_token(body=body)


def invalidate(of, **body):
    return security(of).invalidate_token(**body) if MAJOR >= 8 else security(of).invalidate_token(body=body)


def login(of, name=USER):
    return get_token(of, grant_type="password", username=name, password=SECRET)


def refresh(of, token):
    return get_token(of, grant_type="refresh_token", refresh_token=token)


def counts(answer):
    return answer["invalidated_tokens"], answer["previously_invalidated_tokens"], answer["error_count"]


def refusal(call):
    """What the client raises: its class, the status, what the message begins with and the body."""
    try:
        call()
    except (elasticsearch.ApiError if MAJOR >= 8 else elasticsearch.TransportError) as error:
        if MAJOR >= 8:
            return type(error), error.status_code, error.message, error.body
        return type(error), error.status_code, error.error, error.info
    return None, None, None, None


def put(call, body, **path):
    """Clients before 8 take a body as a whole, later ones its members."""
    return call(**path, **body) if MAJOR >= 8 else call(**path, body=body)


def create(name):
    """A user, made by an administrator through the client."""
    made = put(security(client(ADMIN, PASSWORD)).put_user, {"password": SECRET, "roles": ["reports"]}, username=name)
    check("a user is made", made["created"] is True)


Refused = elasticsearch.AuthenticationException
Forbidden = elasticsearch.AuthorizationException
NotFound = elasticsearch.NotFoundError
BadRequest = elasticsearch.BadRequestError if MAJOR >= 8 else elasticsearch.RequestError

print("elasticsearch-py", elasticsearch.__versionstr__)
create(USER)
create(OTHER)
me, other, admin = client(), client(OTHER), client(ADMIN, PASSWORD)

# What every client does first.
check("ping", me.ping() is True)
check("ping with a wrong password", client(password="wrong").ping() is False)
about = me.info()
check("info", about["tagline"] == "You Know, for Search" and about["version"]["build_flavor"] == "default")
who = security(me).authenticate()
check("authenticate with a password", who["username"] == USER and who["enabled"] is True and who["metadata"] == {})
check("the health of the cluster", me.cluster.health()["status"] == "green")
check("its health, with parameters", me.cluster.health(wait_for_status="yellow", timeout="5s", pretty=True)["status"] == "green")

# Get and use.
pair = login(me)
check("a token is a Bearer token", pair["type"] == "Bearer" and pair["expires_in"] == 1200 and "scope" not in pair)
check("the newer prefix says whose it is", MAJOR == 6 or pair["authentication"]["username"] == USER)
scoped = get_token(me, grant_type="password", username=USER, password=SECRET, scope="some")
check("a scope is answered by the full one", scoped["scope"] == "full")
bearer = client(token=pair["access_token"])
check("authenticate with a token", security(bearer).authenticate()["username"] == USER)
check("ping with a token", bearer.ping() is True)
check("a protected resource with a token", bearer.cluster.health()["status"] == "green")
one = get_token(me, grant_type="client_credentials")
check("client credentials have no refresh token", one["type"] == "Bearer" and "refresh_token" not in one)

# Refresh.
following = refresh(me, pair["refresh_token"])
check("a refresh gives another pair", following["access_token"] != pair["access_token"])
again = refresh(me, pair["refresh_token"])
same = ("access_token", "refresh_token")
check("at once again the same pair", all(again[part] == following[part] for part in same))
check("the older access token lives on", security(bearer).authenticate()["username"] == USER)
kind, status, message, body = refusal(lambda: refresh(me, "junk"))
check("junk is not refreshed", (kind, status, message, body["error"]) == (BadRequest, 400, "invalid_grant", "invalid_grant"))
kind, status, message, body = refusal(lambda: refresh(other, following["refresh_token"]))
check("nor by another client", kind is BadRequest and "creating client" in body["error_description"])
check("which does not use it up", refresh(me, following["refresh_token"])["type"] == "Bearer")

# Concurrent refresh: whoever comes, one pair.
contested = login(me)["refresh_token"]
answers = []
clients = [client() for _ in range(8)]
threads = [threading.Thread(target=lambda of=of: answers.append(refresh(of, contested))) for of in clients]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
check("eight at once get an answer", len(answers) == 8)
check("and it is one pair", len({(answer["access_token"], answer["refresh_token"]) for answer in answers}) == 1)

# Invalidate.
ended = invalidate(me, token=following["access_token"])
check("one token is invalidated", counts(ended) == (1, 0, 0) and ended.get("created", MAJOR > 6) is True)
ended = invalidate(me, token=following["access_token"])
check("the second time it was before", counts(ended) == (0, 1, 0) and ended.get("created", False) is False)
kind, status, message, _ = refusal(lambda: security(client(token=following["access_token"])).authenticate())
check("an invalidated token is refused", (kind, status, message) == (Refused, 401, "security_exception"))
lone = login(me)
check("one refresh token is invalidated", counts(invalidate(me, refresh_token=lone["refresh_token"])) == (1, 0, 0))
check("its access token lives on", security(client(token=lone["access_token"])).authenticate()["username"] == USER)
kind, _, message, body = refusal(lambda: refresh(me, lone["refresh_token"]))
check("it is not refreshed", (kind, body["error_description"]) == (BadRequest, "token has been invalidated"))
kind, status, message, body = refusal(lambda: invalidate(me, token="junk"))
if MAJOR == 6:
    check("an unknown token is malformed", (kind, status, message) == (Refused, 401, "security_exception"))
else:
    check("an unknown token is not found, with counts", (kind, status) == (NotFound, 404) and counts(body) == (0, 0, 0))
kind, status, message, _ = refusal(lambda: invalidate(me, username=OTHER))
check("another's tokens are not mine to end", (kind, status, message) == (Forbidden, 403, "security_exception"))
login(other, OTHER)
check("an administrator ends them by name", counts(invalidate(admin, username=OTHER)) == (2, 0, 0))
check("of which there are none then", counts(invalidate(admin, username=OTHER)) == (0, 0, 0))
login(other, OTHER)
realm = who["authentication_realm"]["name"]
check("by name within the realm", counts(invalidate(admin, username=OTHER, realm_name=realm)) == (2, 0, 0))
check("by a realm that is not there", counts(invalidate(admin, realm_name="nowhere")) == (0, 0, 0))
live = client(token=login(other, OTHER)["access_token"])
check("by realm, everybody's", counts(invalidate(admin, realm_name=realm))[0] >= 2)
check("they are refused", refusal(lambda: security(live).authenticate())[:2] == (Refused, 401))
check("by realm once more, none", counts(invalidate(admin, realm_name=realm)) == (0, 0, 0))

# Users and roles.
users = security(admin)
found = users.get_user(username=[USER, "nobody"])
check("users are shown by name", list(found) == [USER] and found[USER]["roles"] == ["reports"] and found[USER]["enabled"])
check("all of them", {USER, OTHER, ADMIN} <= set(users.get_user()))
again = put(users.put_user, {"roles": ["db_viewer"], "full_name": "Another", "metadata": {"floor": 3}}, username=OTHER)
check("a user is changed", again["created"] is False and (MAJOR > 6 or again["user"]["created"] is False))
who = security(other).authenticate()
check("and shown as he is now", (who["roles"], who["full_name"], who["metadata"]) == (["db_viewer"], "Another", {"floor": 3}))
check("others change nobody", refusal(lambda: security(me).get_user())[:3] == (Forbidden, 403, "security_exception"))
kind, status, message, _ = refusal(lambda: put(users.put_user, {"roles": [], "password": "short"}, username=OTHER))
check("a short password is refused", (kind, status, message) == (BadRequest, 400, "action_request_validation_exception"))
check("a role is defined", put(users.put_role, {"cluster": ["monitor"]}, name="reports")["role"]["created"] is True)
check("and shown", users.get_role(name="reports")["reports"]["cluster"] == ["monitor"])
check("and deleted", users.delete_role(name="reports")["found"] is True)
check("a user is shut out", users.disable_user(username=OTHER) == {} and refusal(lambda: security(other).authenticate())[1] == 401)
check("and let in", users.enable_user(username=OTHER) == {} and security(other).authenticate()["enabled"] is True)
check("a password is set", put(users.change_password, {"password": "another password"}, username=OTHER) == {})
check("which is the only one then", refusal(lambda: security(other).authenticate())[1] == 401)
fresh = security(client(OTHER, "another password"))
check("and is its owner's to change", put(fresh.change_password, {"password": SECRET}) == {} and security(other).authenticate())
check("a user is deleted", users.delete_user(username=OTHER)["found"] is True)
check("once", refusal(lambda: users.delete_user(username=OTHER))[:2] == (NotFound, 404))
check("and is not there", refusal(lambda: users.get_user(username=OTHER))[:2] == (NotFound, 404))

# Errors as the client maps them.
kind, status, message, _ = refusal(lambda: security(client(password="wrong")).authenticate())
check("a wrong password is refused", (kind, status, message) == (Refused, 401, "security_exception"))
wrong = dict(grant_type="password", username=USER, password="wrong")
check("in the body as well", refusal(lambda: get_token(me, **wrong))[:3] == (Refused, 401, "security_exception"))
kind, status, message, body = refusal(lambda: get_token(me, grant_type="password"))
check("what is missing is told", (kind, status, message) == (BadRequest, 400, "invalid_request") and "2: password" in body["error_description"])
check("an unknown grant", refusal(lambda: get_token(me, grant_type="magic"))[1:3] == (400, "unsupported_grant_type"))
kind, status, message, _ = refusal(lambda: invalidate(me, token="a", username="b"))
check("a contradiction", (kind, status, message) == (BadRequest, 400, "action_request_validation_exception"))

print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed; 0 ignored")
sys.exit(1 if failed else 0)
