"""One served venue for the tests that only read, and fresh ones for those that change it."""

import pytest
from tests.service.live import live, sink


@pytest.fixture(scope="module")
def quiet():
    """A venue in which positions and a liquidation have happened; nobody changes it."""
    with live() as served:
        sink(served)
        yield served


@pytest.fixture
def fresh():
    """A venue of the test's own."""
    with live() as served:
        yield served
