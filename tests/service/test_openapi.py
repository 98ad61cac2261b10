"""The OpenAPI is complete and true: what it does not say does not happen."""

import re
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.service.live import live, sink

from ringfence.service.problems import CODES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
MANUAL = (REFERENCE / "http.md").read_text()
EXPLAINED_ELSEWHERE = {"CcxtPosition", "RulesSpec"}  # by ccxt, and with parameters of other units
ROW = re.compile(r"^\| `(GET|POST) ([^`?]+)", re.MULTILINE)
UNDOCUMENTED = {"/v1/openapi.json"}  # it does not describe itself


@pytest.fixture(scope="module")
def served():
    with live(faucet={"USDC": "500"}) as found:
        sink(found)
        yield found


@pytest.fixture(scope="module")
def document(served):
    return served.get("/v1/openapi.json")


@pytest.fixture(scope="module")
def schema(served):
    async def running(scope, receive, send):
        # The application has begun already, and ends with the fixture.
        if scope["type"] != "lifespan":
            await served.client.app(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    return schemathesis.openapi.from_asgi("/v1/openapi.json", running)


def operations(document):
    return {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method in {"get", "post"}
    }


def test_the_manual_and_the_openapi_list_the_same(document):
    manual = {(m, p) for m, p in ROW.findall(MANUAL) if p not in UNDOCUMENTED}
    assert operations(document) == manual


def test_every_code_of_a_problem_is_in_the_manual_with_its_status():
    table = MANUAL[MANUAL.index("## Problems") : MANUAL.index("## Views")]
    for code, (status, _) in CODES.items():
        if code != "internal":
            (row,) = re.findall(rf"^\| {status} \|.*$", table, re.MULTILINE)
            assert f"`{code}`" in row, code


def test_every_field_is_in_the_manual(document):
    known = set(re.findall(r"\w+", "".join(page.read_text() for page in REFERENCE.glob("*.md"))))
    for name, schema in document["components"]["schemas"].items():
        if name in EXPLAINED_ELSEWHERE:
            continue
        assert set(schema.get("properties", ())) <= known, name


def test_every_operation_says_what_it_answers_and_how_it_fails(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            assert operation["description"], (method, path)
            assert {"400", "405", "429", "503"} <= answers.keys(), (method, path)
            for status, answer in answers.items():
                kinds = set(answer.get("content", {}))
                wanted = "application/problem+json" if int(status) >= 400 else None
                assert wanted is None or kinds == {wanted}, (method, path, status)


def test_every_figure_of_an_answer_is_typed(document):
    schemas = document["components"]["schemas"]
    for name in ("Account", "PoolSummary", "Liquidation", "Receipt", "Problem", "VenueAnswer"):
        assert schemas[name]["properties"], name
    health = schemas["AccountRow"]["properties"]["health_factor"]
    assert {"null", "string"} == {part["type"] for part in health["oneOf"]}


EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_request_gets_an_answer_that_is_not_documented(schema):
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @EXAMPLES
        @given(case=operation.as_strategy())
        def every_answer_is_documented(case):
            # What is in a command's strings, only the venue can judge.
            is_judged = case.method == "POST"
            case.call_and_validate(excluded_checks=[positive_data_acceptance] * is_judged)

        every_answer_is_documented()
        tried += 1
    assert tried == len(operations(schema.raw_schema))
