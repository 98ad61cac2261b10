"""`ringfence replay` on small files: what it answers, what it shows, and how it stops."""

import io
import os
import signal

import pytest
from rich.console import Console

from ringfence.cli import replay as module
from ringfence.cli.crash_view import CrashView, short
from ringfence.cli.interrupt import stoppable
from ringfence.lab.crash import Crash
from ringfence.lab.population import PopulationPlan
from ringfence.lab.waterfall import Book
from ringfence.oracle.sources.replay import PriceFile

SIZE = ("--pools", "6", "--accounts", "24", "--leverage", "20", "--option-pools", "0")
ROWS = 90


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    """An hour and a half in which ETH falls by forty percent, most of it at the end."""
    path = tmp_path_factory.mktemp("prices") / "fall.csv"
    lines = ["ts,bid,ask"]
    for k in range(ROWS):
        price = 2000 * (1 - 0.4 * (k / (ROWS - 1)) ** 2)
        minute = f"2021-01-11T{4 + k // 60:02d}:{k % 60:02d}:00Z"
        lines.append(f"{minute},{price - 0.5:.2f},{price + 0.5:.2f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(autouse=True)
def _ready(monkeypatch):
    """An engine that counts as compiled, so that no test plays the small crash for it."""
    monkeypatch.setattr(module, "is_warm", lambda: True)


def crash_of(prices, **more):
    plan = PopulationPlan(pools=6, accounts=24, leverage=20, seed=1)
    crash = Crash(PriceFile.open(prices, "ETH"), ["ETH"], plan, ":memory:", **more)
    crash.set_up()
    return crash


def test_a_fall_is_played_to_its_end_and_stays_inside(run, prices):
    answer = run("replay", prices, "--symbol", "ETH", *SIZE, "--json")
    assert answer.code == 0
    found = answer.json
    assert (found["ticks"], found["is_complete"], found["impact"]) == (ROWS, True, {})
    assert found["liquidated_accounts"] > 5
    assert found["wallets_unchanged"]
    assert found["unaffected_pools_unchanged"]
    assert (found["adds_up"], found["problems"]) == (True, [])
    assert found["steps"]["auctions"] > 0


def test_a_waterfall_that_does_not_add_up_fails_loudly(run, prices, monkeypatch):
    monkeypatch.setattr(Book, "problems", lambda *_: ["shortfall: the events sum to 1"])
    answer = run("replay", prices, "--symbol", "ETH", *SIZE)
    assert answer.code == 1
    assert "NOT, in 6 places: a fault" in answer.out
    assert "does not add up: ETH-majors-00: shortfall: the events sum to 1" in answer.err


def test_the_same_seed_gives_the_same_head_with_impact_too(run, prices):
    command = ("replay", prices, "--symbol", "ETH", *SIZE, "--impact", "--depth", 20_000, "--json")
    first, second = run(*command).json, run(*command).json
    assert first["head"] == second["head"]
    assert float(first["impact"]["ETH"]) < -0.01


def test_impact_liquidates_at_least_as_many_as_without(run, prices):
    command = ("replay", prices, "--symbol", "ETH", *SIZE, "--json")
    calm = run(*command).json
    pushed = run(*command, "--impact", "--depth", 20_000).json
    assert pushed["head"] != calm["head"]
    assert float(pushed["liquidated_notional"]) > float(calm["liquidated_notional"])
    assert pushed["wallets_unchanged"]


def test_a_depth_must_be_positive(run, prices):
    answer = run("replay", prices, "--symbol", "ETH", "--impact", "--depth", 0)
    assert answer.code == 2
    assert "--depth is 0; it must be a positive number of dollars" in answer.err


def test_a_folder_is_called_a_folder(run, tmp_path):
    answer = run("replay", tmp_path)
    assert answer.code == 2
    assert f"{tmp_path}: a folder; name one of the files in it" in answer.err


def test_people_get_a_summary_that_fits_eighty_columns(run, prices, monkeypatch):
    monkeypatch.setattr(module, "console", lambda _stream: Console(width=80, markup=False))
    answer = run("replay", prices, "--symbol", "ETH", *SIZE)
    assert answer.code == 0
    assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert "..." not in answer.out
    assert "unchanged: only their owners' own commands moved them" in answer.out


def test_the_live_view_fits_a_terminal_of_eighty_by_twenty_four(prices):
    crash = crash_of(prices)
    view = CrashView(crash, crash.series.description, 80, 24)
    screen = Console(width=80, height=24, file=io.StringIO())
    for _ in crash.play():
        view.note_prices()
        lines = screen.render_lines(view.render(), pad=False)
        assert len(lines) < 24
        text = ["".join(part.text for part in line) for line in lines]
        assert all(len(line) <= 80 for line in text)
        assert text[0].startswith(f"tick {crash.counts.ticks} of {ROWS}")
        assert text[1].startswith("liquidated ")
        assert text[2].startswith("auctions ")
    crash.venue.close()


def test_ctrl_c_ends_after_the_tick_at_hand_with_a_summary(run, prices, monkeypatch):
    played = Crash.play

    def interrupted(crash):
        for tick in played(crash):
            if crash.counts.ticks == 10:
                os.kill(os.getpid(), signal.SIGINT)
            yield tick

    monkeypatch.setattr(Crash, "play", interrupted)
    answer = run("replay", prices, "--symbol", "ETH", *SIZE, "--json")
    assert answer.code == 130
    assert (answer.json["ticks"], answer.json["is_complete"]) == (10, False)
    assert f"stopped after 10 of {ROWS} ticks" in answer.err


def test_ctrl_c_elsewhere_says_that_it_was_stopped(run, prices, monkeypatch):
    def interrupted(_crash):
        raise KeyboardInterrupt

    monkeypatch.setattr(Crash, "set_up", interrupted)
    answer = run("replay", prices, "--symbol", "ETH", *SIZE)
    assert (answer.code, answer.out, answer.err) == (130, "", "ringfence: stopped\n")


def test_a_second_ctrl_c_does_not_wait():
    before = signal.getsignal(signal.SIGINT)
    with stoppable() as is_asked:
        assert not is_asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert is_asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "<1"),
        (999_999, "<1"),
        (1_000_000, "1"),
        (9_999 * 10**6, "9,999"),
        (10_000 * 10**6, "10.0k"),
        (123_456 * 10**6, "123k"),
        (1_234_567 * 10**6, "1.23M"),
        (45 * 10**15, "45.0B"),
    ],
)
def test_money_is_shown_in_six_characters(value, text):
    assert short(value) == text
