"""MiniStack behind `ministack_door`, with permissions checked as AWS checks them where MiniStack 1.5.33 does otherwise.

A function's credentials are random. MiniStack derives them from the names of function and role: whoever knows these knows the secret.

BatchExecuteStatement is no IAM action: each statement is authorized as PartiQLSelect, PartiQLInsert, PartiQLUpdate or
PartiQLDelete on its table. MiniStack asks for `dynamodb:BatchExecuteStatement` on every table instead.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_dynamodb.html

`aws:PrincipalArn` of a role's session is the role's ARN. MiniStack takes the session's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn

An alarm watches the metric of exactly its dimensions. MiniStack evaluates it with all metrics of that name, so that one
consumer's dead letter would set off another one's alarm.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html

A mapping that is disabled is `Disabling` until its pollers have stopped, and one that is enabled `Enabling` until they have started.
MiniStack knows nothing of the local cloud's pollers, which say so in a tag.
https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html

MiniStack looks with each request for metrics that are older than two weeks, which takes the longer the more there are. No local
cloud gets that old.
"""

import hmac
import json
import os
import re
import types

# The run's own, known to nobody else. MiniStack is told the key, so that it takes it for the account's root; functions, which
# inherit the environment, are not told the secret.
_ROOT_KEY = os.environ["AWS_ACCESS_KEY_ID"]
_ROOT_SECRET = os.environ.pop("LOCKSTEP_ROOT_SECRET")

from ministack.app import app as _ministack  # noqa: E402
from ministack.core import iam_actions, iam_evaluator, lambda_runtime  # noqa: E402
from ministack.services import cloudwatch, lambda_svc, sts  # noqa: E402
from ministack_door import door  # noqa: E402
from ministack_leading_keys import know_leading_keys  # noqa: E402
from ministack_lines import lines_come_with_their_answer  # noqa: E402

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


_of_function = lambda_runtime.execution_credentials


def _random_credentials(config):
    known = _of_function(config)
    session = sts._sessions.pop(known["AWS_ACCESS_KEY_ID"], None)
    if session is None:
        return known

    # The same for the same function and role in this run, so that warm workers go on.
    def derived(what):
        return hmac.new(_ROOT_SECRET.encode(), f"{what}:{known['AWS_SECRET_ACCESS_KEY']}".encode(), "sha256").hexdigest()

    credentials = {
        "AWS_ACCESS_KEY_ID": f"ASIA{derived('key')[:16].upper()}",
        "AWS_SECRET_ACCESS_KEY": derived("secret"),
        "AWS_SESSION_TOKEN": derived("token"),
    }
    sts.register_session(
        credentials["AWS_ACCESS_KEY_ID"],
        {
            **session,
            "SecretAccessKey": credentials["AWS_SECRET_ACCESS_KEY"],
            "SessionToken": credentials["AWS_SESSION_TOKEN"],
        },
    )
    return credentials


for module in (lambda_runtime, lambda_svc):
    if hasattr(module, "execution_credentials"):
        module.execution_credentials = _random_credentials

_evaluate = cloudwatch._evaluate_alarm


def _evaluate_by_dimensions(alarm):
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    key = (alarm.get("Namespace"), alarm.get("MetricName"), dimensions)
    points = cloudwatch._metrics.get(key)
    if not points:
        return
    # The same function, for which there is no other metric.
    names = {**vars(cloudwatch), "_metrics": {key: points}}
    types.FunctionType(_evaluate.__code__, names)(alarm)


cloudwatch._evaluate_alarm = _evaluate_by_dimensions
cloudwatch._evict_old_metrics = lambda: None


_mapping = lambda_svc._esm_response


def _mapping_with_its_pollers(esm):
    shown = _mapping(esm)
    polling = esm.get("Tags", {}).get("lockstep:polling")
    if polling is not None and (polling == "true") != esm["Enabled"]:
        shown["State"] = "Enabling" if esm["Enabled"] else "Disabling"
    return shown


lambda_svc._esm_response = _mapping_with_its_pollers


# MiniStack takes `arn:…:cluster` of the path for the cluster's name, so that no grant on a cluster fits.
_CLUSTER = re.compile(r"/clusters/(arn:[^:]+:kafka:[^:]*:[^:]*:cluster/[^/]+/[^/]+)")
_arn_of = iam_actions.extract_resource_arn


def _cluster_itself(service, method, path, *rest, **more):
    cluster = _CLUSTER.search(path) if service == "kafka" else None
    return _arn_of(service, method, path, *rest, **more) if cluster is None else cluster[1]


iam_actions.extract_resource_arn = _cluster_itself

know_leading_keys()
lines_come_with_their_answer()

app = door(_ministack, _ROOT_KEY, _ROOT_SECRET)
