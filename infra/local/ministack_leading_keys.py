"""`dynamodb:LeadingKeys`: the partition keys of the items that a request names, by which a role has its own items of a shared table.
MiniStack 1.5.33 does not know the key, so that a condition on it never holds, or always.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

import json
import re

from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb

_BY_TABLE = "lockstep:keys by table"
_TABLE = re.compile(r'\b(?:INTO|UPDATE|FROM)\s+"([^"]+)"', re.IGNORECASE)


def _keys_by_table(body):
    """Of each table that the request names, the partition keys in it; a request that names none has none, as a scan."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    keys = {}

    def add(table, item):
        name = _partition_key(table)
        value = item.get(name) if isinstance(item, dict) else None
        if isinstance(value, dict) and value:
            keys.setdefault(table, []).append(str(next(iter(value.values()))))

    def add_operation(operation):
        add(operation.get("TableName"), operation.get("Key") or operation.get("Item"))

    add_operation(request)
    for action in request.get("TransactItems") or []:
        for operation in action.values():
            add_operation(operation)
    for table, asked in (request.get("RequestItems") or {}).items():
        for one in asked.get("Keys", []) if isinstance(asked, dict) else asked:
            add(table, next(iter(one.values())).get("Item") or next(iter(one.values())).get("Key") if _is_write(one) else one)
    statements = request.get("Statements") or request.get("TransactStatements") or [request]
    for statement in statements:
        _add_statement(statement, add)
    return keys


def _is_write(one):
    return "PutRequest" in one or "DeleteRequest" in one


def _add_statement(statement, add):
    """PartiQL with its partition key as a parameter: `VALUE {'pk': ?}` or `WHERE pk = ?`."""
    text = statement.get("Statement", "")
    table = _TABLE.search(text)
    if table is None:
        return
    name = _partition_key(table[1])
    place = re.search(rf"""['"]?\b{re.escape(name)}\b['"]?\s*[:=]\s*\?""", text) if name else None
    parameters = statement.get("Parameters") or []
    index = -1 if place is None else text[: place.end() - 1].count("?")
    if 0 <= index < len(parameters):
        add(table[1], {name: parameters[index]})


def _partition_key(table):
    return (dynamodb._tables.get(table) or {}).get("pk_name") if isinstance(table, str) else None


_context_of = iam_actions.dynamodb_service_context
_enforce = iam_evaluator.enforce


def _with_keys(body):
    return {**_context_of(body), _BY_TABLE: _keys_by_table(body)}


def _enforce_on_table(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    context = dict(service_context or {})
    by_table = context.pop(_BY_TABLE, {})
    table = re.match(r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/([^/]+)", resource_arn)
    if table is not None and table[1] in by_table:
        context["dynamodb:LeadingKeys"] = by_table[table[1]]
    return _enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=context)


def know_leading_keys():
    """Both are looked up by name with each request."""
    iam_actions.dynamodb_service_context = _with_keys
    iam_evaluator.enforce = _enforce_on_table
