"""MiniStack, with permissions checked as AWS checks them where MiniStack 1.5.33 does otherwise.

BatchExecuteStatement is no IAM action: each statement is authorized as PartiQLSelect, PartiQLInsert, PartiQLUpdate or
PartiQLDelete on its table. MiniStack asks for `dynamodb:BatchExecuteStatement` on every table instead.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_dynamodb.html

`aws:PrincipalArn` of a role's session is the role's ARN. MiniStack takes the session's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
"""

import json
import re

from ministack.app import app  # noqa: F401 - what is served
from ministack.core import iam_actions, iam_evaluator

_TABLE = re.compile(r'^\s*(?:(INSERT)\s+INTO|(UPDATE)|(DELETE)\s+FROM|(SELECT)\s.*?\sFROM)\s+"([^"]+)"', re.IGNORECASE | re.DOTALL)
_of_transactions = iam_actions.dynamodb_transaction_checks


def _of_statements(iam_action, body, region, account_id):
    if iam_action != "dynamodb:BatchExecuteStatement":
        return _of_transactions(iam_action, body, region, account_id)
    checks = []
    for statement in json.loads(body or b"{}").get("Statements", []):
        found = _TABLE.match(statement.get("Statement", ""))
        # A statement of another form names no table here, and is refused.
        verb = "Select" if found is None else next(word for word in found.groups()[:4] if word).capitalize()
        table = "*" if found is None else found[5]
        checks.append((f"dynamodb:PartiQL{verb}", f"arn:aws:dynamodb:{region}:{account_id}:table/{table}"))
    return checks


# Looked up by name with each request.
iam_actions.dynamodb_transaction_checks = _of_statements

_SESSION = re.compile(r"arn:([^:]+):sts::(\d{12}):assumed-role/([^/]+)/")
_key_of_condition = iam_evaluator._resolve_condition_key


def _role_for_its_sessions(key, context):
    session = _SESSION.match(context.principal_arn) if key.lower() == "aws:principalarn" else None
    if session is None:
        return _key_of_condition(key, context)
    partition, account, role = session.groups()
    return f"arn:{partition}:iam::{account}:role/{role}"


iam_evaluator._resolve_condition_key = _role_for_its_sessions
