"""Who gets in: requests signed with credentials of this run, from a program on this machine. MiniStack itself takes several keys for the
account's root without looking at a signature, and opens its administration to anybody: any user of the machine could run code.

A request is refused
- for another host than this machine, as a web page sends it that has a name of its own resolved to 127.0.0.1 (DNS rebinding),
- with an Origin, as a browser sends it from a web page,
- to MiniStack's administration,
- without an AWS signature (version 4) that fits its secret, its time and its body.
"""

import hashlib
import hmac
import json
from urllib.parse import parse_qs, quote

from ministack.core import iam_evaluator, responses, sigv4

_HERE = {"127.0.0.1", "localhost"}
_READY = "/_ministack/ready"
# Where a custom resource's function answers to CloudFormation: the URL holds an unguessable token, as a presigned one on AWS.
_CUSTOM_RESOURCE = "/_ministack/cfn-response/"
_ADMINISTRATION = ("/_ministack", "/_localstack", "/_aws", "/health")
_UNHASHED = {
    "UNSIGNED-PAYLOAD",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
}


class Refused(Exception):
    """What is wrong with a request."""


def door(app, root_key, root_secret):
    """Lets into `app` (ASGI) what is signed by the account's root, who has this key, or by a session or user that `app` knows."""

    async def guarded(scope, receive, send):
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        try:
            needs_signature = _check_sender(scope)
            body = await _body_of(receive)
            if needs_signature:
                _check_signature(scope, body, root_key, root_secret)
        except Refused as refused:
            await _refuse(send, str(refused))
            return
        await app(scope, _again(body, receive), _without_cors(send))

    return guarded


def _check_sender(scope):
    """Returns whether the request must be signed."""
    names = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(names) != 1 or names[0].rsplit(":", 1)[0].lower() not in _HERE:
        raise Refused("the request is for another host")
    if any(name == b"origin" for name, _ in scope["headers"]):
        raise Refused("the request comes from a web page")
    path, method = scope["path"], scope["method"]
    if path == _READY and method == "GET":
        return False
    if path.startswith(_CUSTOM_RESOURCE) and method == "PUT":
        return False
    if path.lower().lstrip("/").startswith(tuple(one[1:] for one in _ADMINISTRATION)):
        raise Refused("the administration of the emulator is closed")
    return True


async def _body_of(receive):
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("the request was cut off")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body, receive):
    """What the app receives: the body once more, then what comes after it."""
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def again():
        return first.pop() if first else await receive()

    return again


def _check_signature(scope, body, root_key, root_secret):
    headers = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), sigv4.decode_header_value(value)
        # Values of one header on several lines are signed with a bare comma between them.
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)
    presigned = "authorization" not in headers
    if not presigned and not headers["authorization"].startswith("AWS4-HMAC-SHA256 "):
        raise Refused("the request is not signed with AWS4-HMAC-SHA256")
    signature = sigv4.parse_query_signature(query) if presigned else sigv4.parse_header_signature(headers)
    if isinstance(signature, tuple):
        raise Refused(f"the request is not signed: {signature[1]}")
    if signature.region_set is not None or "host" not in signature.signed_headers.split(";"):
        raise Refused("the signature must be AWS4-HMAC-SHA256 and cover the host")
    _check_time(signature, query if presigned else None)
    token = (query.get("X-Amz-Security-Token") or [""])[0] if presigned else headers.get("x-amz-security-token", "")
    _check_body(signature, headers, body, presigned)
    secret = _secret_of(signature.access_key_id, token, root_key, root_secret)
    raw_path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    failure = sigv4.header_signature_failure(
        signature, secret, scope["method"], raw_path, query, headers, body, presigned=presigned
    )
    if failure is not None:
        raise Refused(failure[1])


def _check_time(signature, query):
    if query is None:
        late = sigv4.request_time_failure(signature)
        if late is not None:
            raise Refused(late[1])
        if sigv4._amz_datetime(signature.amz_date) is None:
            raise Refused("the request has no time")
        return
    expires = (query.get("X-Amz-Expires") or [""])[0]
    try:
        expired = sigv4.presigned_request_is_expired(signature.amz_date, expires)
    except ValueError:
        expired = True
    if expired:
        raise Refused("the presigned request has expired")


def _check_body(signature, headers, body, presigned):
    """The signature covers the hash that the header names: that must be the body's. S3 alone may leave it out, over TLS."""
    named = headers.get("x-amz-content-sha256")
    if named is None or (signature.service == "s3" and (presigned or named in _UNHASHED)):
        return
    if not hmac.compare_digest(named.lower(), hashlib.sha256(body).hexdigest()):
        raise Refused("the body is not what was signed")


def _secret_of(access_key, token, root_key, root_secret):
    if hmac.compare_digest(access_key.encode(), root_key.encode()):
        if token:
            raise Refused("the account's root has no session token")
        return root_secret
    # Keys that MiniStack takes for root: none, `test`, any account's number.
    if iam_evaluator.is_root_access_key(access_key):
        raise Refused("the access key is not one of this run")
    try:
        account = (
            responses._account_from_sts_session(access_key)
            or iam_evaluator.find_iam_access_key_account(access_key)
            or "000000000000"
        )
    except iam_evaluator.AmbiguousAccessKeyError as error:
        raise Refused("the access key is not one of this run") from error
    credential = iam_evaluator.resolve_credential(access_key, account, token)
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        raise Refused(credential.message)
    return credential.secret_access_key


async def _refuse(send, why):
    body = json.dumps({"__type": "AccessDeniedException", "message": f"The local cloud refuses: {why}."}).encode()
    headers = [
        (b"content-type", b"application/x-amz-json-1.0"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-errortype", b"AccessDeniedException"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_cors(send):
    """No web page may read an answer."""

    async def sending(message):
        if message["type"] == "http.response.start":
            headers = [
                (name, value)
                for name, value in message.get("headers", [])
                if not bytes(name).lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": headers}
        await send(message)

    return sending
