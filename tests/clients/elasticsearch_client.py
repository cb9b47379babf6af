"""Drives a running server with an official Elasticsearch client, of whichever generation is installed.

Usage: elasticsearch_client.py URL USER PASSWORD
Prints one line per check; exits 1 at the first that fails.
"""

import sys

import elasticsearch
from elasticsearch import Elasticsearch

URL, USER, PASSWORD = sys.argv[1:4]
MAJOR = elasticsearch.__version__[0]
NotFound = elasticsearch.NotFoundError
Refused = elasticsearch.AuthenticationException
BadRequest = elasticsearch.RequestError if MAJOR < 8 else elasticsearch.BadRequestError


def check(name, holds):
    print(("ok   " if holds else "FAIL ") + name, flush=True)
    if not holds:
        sys.exit(1)


def raises(kind, call):
    try:
        call()
    except kind:
        return True
    return False


def client(password=PASSWORD, token=None):
    """A client with name and password, or with a token."""
    if MAJOR >= 8:
        return Elasticsearch(URL, bearer_auth=token) if token else Elasticsearch(URL, basic_auth=(USER, password))
    if token:
        return Elasticsearch(URL, headers={"Authorization": "Bearer " + token})
    return Elasticsearch(URL, http_auth=(USER, password))


def security(of):
    return of.xpack.security if MAJOR == 6 else of.security


def get_token(of, **body):
    return security(of).get_token(**body) if MAJOR >= 8 else security(of).get_token(body=body)


def invalidate(of, **body):
    return security(of).invalidate_token(**body) if MAJOR >= 8 else security(of).invalidate_token(body=body)


me = client()
print("elasticsearch-py", elasticsearch.__versionstr__)
check("ping", me.ping())
check("the banner names a version", me.info()["version"]["number"] != "")
check("authenticate with a password", security(me).authenticate()["username"] == USER)

pair = get_token(me, grant_type="password", username=USER, password=PASSWORD)
check("a token is a Bearer token", pair["type"] == "Bearer" and pair["expires_in"] == 1200)
bearer = client(token=pair["access_token"])
check("authenticate with a token", security(bearer).authenticate()["username"] == USER)
check("a protected resource", bearer.cluster.health()["status"] == "green")

following = get_token(me, grant_type="refresh_token", refresh_token=pair["refresh_token"])
check("a refresh gives another pair", following["access_token"] != pair["access_token"])
again = get_token(me, grant_type="refresh_token", refresh_token=pair["refresh_token"])
check("at once again the same pair", again["access_token"] == following["access_token"])
check("the older access token lives on", security(bearer).authenticate()["username"] == USER)
check("junk is not refreshed", raises(BadRequest, lambda: get_token(me, grant_type="refresh_token", refresh_token="junk")))

ended = invalidate(me, token=following["access_token"])
check("one token is invalidated", ended["invalidated_tokens"] == 1 and (MAJOR > 6 or ended["created"] is True))
ended = invalidate(me, token=following["access_token"])
check("the second time none", ended["invalidated_tokens"] == 0 and ended["previously_invalidated_tokens"] == 1)
check("an invalidated token is refused", raises(Refused, lambda: security(client(token=following["access_token"])).authenticate()))
ended = invalidate(me, username=USER)
check("by name the rest", ended["invalidated_tokens"] >= 1)
check("a wrong password is refused", raises(Refused, lambda: security(client(password="wrong")).authenticate()))
if MAJOR >= 7:
    check("an unknown token is not found", raises(NotFound, lambda: invalidate(me, token="junk")))
    check("client credentials", get_token(me, grant_type="client_credentials")["type"] == "Bearer")
