"""`ringfence pool`: a template that works, specs judged as a whole, pools and accounts shown."""

import pytest
from tests.journals import CREATOR, MAKER, TAKER, TEMPLATE

from ringfence.venue.venue import Venue


@pytest.fixture
def spec(tmp_path, run):
    """The template as a file, as a user gets it."""
    path = tmp_path / "pool.toml"
    path.write_text(run("pool", "template").out)
    return path


def test_the_template_is_printed_as_it_is(run):
    assert run("pool", "template").out == TEMPLATE.read_text()
    assert run("pool", "template", "--json").json["name"] == "eth-majors"


def test_the_template_creates_a_pool_in_a_new_journal(run, spec, tmp_path):
    journal = tmp_path / "new.journal"
    answer = run("pool", "create", spec, "--journal", journal, "--creator", CREATOR, "--json")
    assert answer.code == 0
    assert "a new journal begins" in answer.err
    created = answer.json
    (listed,) = run("pool", "list", "--journal", journal, "--json").json
    assert (listed["id"], listed["name"]) == (created["id"], "eth-majors")
    verified = run("verify", journal, "--json").json
    assert (verified["head"], verified["entries"]) == (created["head"], created["seq"])


def test_a_dry_run_shows_the_id_and_writes_nothing(run, spec, tmp_path):
    journal = tmp_path / "new.journal"
    options = (spec, "--journal", journal, "--creator", CREATOR, "--json")
    dry = run("pool", "create", *options, "--dry-run")
    assert (dry.code, dry.json["dry_run"], dry.json["seq"]) == (0, True, None)
    assert not journal.exists()
    assert run("pool", "create", *options).json["id"] == dry.json["id"]


def test_a_spec_that_cannot_be_safe_lists_every_problem_and_writes_nothing(run, spec, tmp_path):
    text = spec.read_text().replace('bonus_max = "0.01"', 'bonus_max = "0.9"')
    spec.write_text(text.replace('price_band = "0.05"', 'price_band = "2"'))
    journal = tmp_path / "new.journal"
    answer = run("pool", "create", spec, "--journal", journal, "--creator", CREATOR, "--json")
    assert answer.code == 2
    assert not journal.exists()
    assert (answer.json["ok"], answer.json["id"]) == (False, None)
    problems = "\n".join(answer.json["problems"])
    assert "rules.bonus_max is 0.9" in problems
    assert "price_band is 2" in problems
    for problem in answer.json["problems"]:
        assert problem in answer.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "TOML"),
        ('name = "x"', "missing required field"),
        ("\x00", "TOML"),
    ],
)
def test_a_spec_that_cannot_be_read_says_where(run, tmp_path, text, message):
    path = tmp_path / "pool.toml"
    path.write_text(text)
    answer = run("pool", "create", path, "--creator", CREATOR, "--dry-run")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_creating_needs_a_journal_an_address_and_a_file(run, spec, tmp_path):
    for arguments, message in (
        ((spec, "--creator", CREATOR), "--journal is missing"),
        ((spec, "--creator", "me", "--dry-run"), "'me' is not an address"),
        ((tmp_path / "no.toml", "--creator", CREATOR, "--dry-run"), "no.toml"),
        ((spec, "--creator", CREATOR, "--journal", tmp_path / "a" / "b"), "create it first"),
    ):
        answer = run("pool", "create", *arguments)
        assert answer.code == 2
        assert message in answer.err


def test_the_same_pool_twice_is_refused_with_the_fix(run, spec, tmp_path):
    options = (spec, "--journal", tmp_path / "j", "--creator", CREATOR)
    assert run("pool", "create", *options).code == 0
    answer = run("pool", "create", *options)
    assert answer.code == 2
    assert "change its name or salt" in answer.err
    assert run("verify", tmp_path / "j").code == 0


def test_a_list_is_read_while_the_venue_runs(run, tmp_path, spec):
    options = (spec, "--journal", tmp_path / "j", "--creator", CREATOR)
    run("pool", "create", *options)
    with Venue.open(tmp_path / "j"):
        assert len(run("pool", "list", "--journal", tmp_path / "j", "--json").json) == 1
        busy = run("pool", "create", *options)
    assert busy.code == 2
    assert "open in another writer" in busy.err


def test_a_pool_is_shown_by_name_or_id_with_its_worst_accounts_first(run, written):
    for name in ("eth-majors", written.pool):
        answer = run("pool", "show", name, "--journal", written.path, "--json")
        assert answer.code == 0
        shown = answer.json
        assert (shown["pool"]["id"], shown["pool"]["accounts"]) == (written.pool, 3)
        factors = [float(account["health_factor"]) for account in shown["accounts"]]
        assert factors == sorted(factors)
        assert [account["owner"] for account in shown["accounts"]] == [CREATOR, TAKER, MAKER]


def test_the_number_of_accounts_is_as_asked(run, written):
    for count, found in ((0, 0), (1, 1), (9, 3)):
        answer = run(
            "pool", "show", "eth-majors", "--journal", written.path, "--accounts", count, "--json"
        )
        assert len(answer.json["accounts"]) == found
    answer = run("pool", "show", "eth-majors", "--journal", written.path, "--accounts", -1)
    assert answer.code == 2


def test_people_see_every_figure_of_a_pool(run, written):
    answer = run("pool", "show", "eth-majors", "--journal", written.path)
    for text in ("insurance fund", "open interest ETH-PERP", "backstop", MAKER, "-20 ETH-PERP"):
        assert text in answer.out


def test_a_pool_that_is_not_there_is_wrong_usage(run, written):
    answer = run("pool", "show", "gold", "--journal", written.path)
    assert answer.code == 2
    assert "no pool named 'gold'" in answer.err
