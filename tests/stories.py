"""Stories: tests as tables, one command a line, the status it must return, the figures after.

    rule dust 0                                     a line that changes the default pool
    price ETH 1000                                  a command that must be accepted
    deposit A1 1001 ETH -> exceeds_deposit_cap      a command that must be refused
    balance A1 0 ETH                                a figure that must hold

A1, B2 and the like are accounts, opened where they are first named; `backstop` is account 0,
`stranger` one that does not exist. Figures are decimals in coins, contracts or the settlement
currency; 5u is five of the smallest unit. After every command the invariants are asserted, and
after a refusal that no byte has changed.
"""

import re
from typing import Any

import msgspec
import numpy as np
from tests.story_pool import COMMANDS, SPEC, START_NS

from ringfence.core.auction import WHOLE
from ringfence.core.bounds import parameter_named
from ringfence.core.command import Happening, Kind, rows
from ringfence.core.creation import _scales, create_pool
from ringfence.core.health import debt_of, equity, excess, health_factor
from ringfence.core.invariants import broken_invariants
from ringfence.core.liquidation import has_anything, means_status
from ringfence.core.log import empty_log, recorded, room_for
from ringfence.core.machine import apply
from ringfence.core.parameters import Parameter, parameter_column
from ringfence.core.pool import CASH, Level, Step, Total, account_count, copied, pool_bytes
from ringfence.core.reading import scaled
from ringfence.core.spec import Levels, PoolSpec, RulesSpec, Tier
from ringfence.core.status import Status
from ringfence.core.validity import Flag
from ringfence.units import BASE, DAY_NS, HOUR_NS, MINUTE_NS, PPM, PRICE_UNIT, SECOND_NS, UNIT

CURES = (Happening.STEP_ENDED, Happening.SHARES_REDEEMED)
DURATIONS = {"ns": 1, "s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS}


def check(text: str) -> "Story":
    """Play a story and return how it ended; a line that does not hold fails the test."""
    return Story().play(text)


def duration(text: str) -> int:
    """A signed duration such as +1h, -10s or 30d, in ns."""
    match = re.fullmatch(r"([+-]?\d+)(ns|s|m|h|d)", text)
    assert match, f"{text!r} is not a duration"
    return int(match[1]) * DURATIONS[match[2]]


def number(text: str, scale: int) -> int:
    """A decimal times its scale; with a final u, smallest units as they are."""
    return int(text[:-1]) if text.endswith("u") else scaled(text, scale)


def pairs(words: list[str]) -> dict[str, str]:
    """Words that come in pairs of a name and its value."""
    assert len(words) % 2 == 0, f"a name without its value in {' '.join(words)!r}"
    return dict(zip(words[::2], words[1::2], strict=True))


def place(names: list[str], name: str) -> int:
    """Index of a name; one beyond the last for an unknown one, -1 for `none`."""
    if name == "none":
        return -1
    return names.index(name) if name in names else len(names)


class Story:
    """A pool in the middle of a story, and what the reader knows of it."""

    def __init__(self, spec: PoolSpec = SPEC) -> None:
        self.spec = spec
        self.capacity = 16
        self.pool: Any = None
        self.accounts = {"backstop": 0, "nobody": -1}
        self.events: list[dict[str, int]] = []

    def play(self, text: str) -> "Story":
        """Play the lines of a story, after those already played."""
        for at, line in enumerate(text.splitlines()):
            words = line.split(" #")[0].split()
            if not words or words[0].startswith("#"):
                continue
            try:
                self.line(words)
            except Exception as error:
                error.add_note(f"in line {at} of the story: {line.strip()}")
                raise
        return self

    def line(self, words: list[str]) -> None:
        """Play one line: of the spec, a command, or a figure."""
        verb, rest = words[0], words[1:]
        adjust = getattr(self, f"spec_{verb}", None)
        if adjust is not None:
            assert self.pool is None, "the pool exists already"
            adjust(rest)
            return
        if self.pool is None:
            self.create()
        if verb in COMMANDS:
            expected = rest.pop() if "->" in rest else "ok"
            self.command(verb, rest[:-1] if rest[-1:] == ["->"] else rest, expected)
        else:
            getattr(self, f"check_{verb}")(*rest)

    # The pool's spec, before the first command.

    def spec_rule(self, words: list[str]) -> None:
        known = RulesSpec()
        values = {k: type(getattr(known, k))(v) for k, v in pairs(words).items()}
        rules = msgspec.structs.replace(self.spec.rules, **values)
        self.spec = msgspec.structs.replace(self.spec, rules=rules)

    def spec_pool(self, words: list[str]) -> None:
        values: dict[str, Any] = pairs(words)
        if "settlement_decimals" in values:
            values["settlement_decimals"] = int(values["settlement_decimals"])
        self.spec = msgspec.structs.replace(self.spec, **values)

    def spec_capacity(self, words: list[str]) -> None:
        self.capacity = int(words[0])

    def spec_allowed(self, words: list[str]) -> None:
        allowed = self.spec.allowed | {words[0]: tuple(map(int, words[1:]))}
        self.spec = msgspec.structs.replace(self.spec, allowed=allowed)

    def spec_bounds(self, words: list[str]) -> None:
        bounds = self.spec.bounds | {words[0]: (words[1], words[2])}
        self.spec = msgspec.structs.replace(self.spec, bounds=bounds)

    def spec_collateral(self, words: list[str]) -> None:
        values: dict[str, Any] = pairs(words[1:])
        if "haircut" in values:
            values["haircut"] = Levels(*values["haircut"].split("/"))
        self.adjust("collateral", "asset", words[0], values)

    def spec_underlying(self, words: list[str]) -> None:
        values: dict[str, Any] = pairs(words[1:])
        if "factor" in values:
            values["factor"] = Levels(*values["factor"].split("/"))
        if "tiers" in values:
            tiers = (re.split("[:/]", tier) for tier in values["tiers"].split(","))
            values["tiers"] = tuple(Tier(*tier) for tier in tiers)
        self.adjust("underlyings", "name", words[0], values)

    def spec_instrument(self, words: list[str]) -> None:
        values = {k: int(v) if "seconds" in k else v for k, v in pairs(words[1:]).items()}
        self.adjust("instruments", "name", words[0], values)

    def spec_without(self, words: list[str]) -> None:
        left = tuple(i for i in self.spec.instruments if i.name not in words)
        self.spec = msgspec.structs.replace(self.spec, instruments=left)

    def adjust(self, part: str, key: str, name: str, values: dict[str, Any]) -> None:
        """Change the named member of one part of the spec."""
        members = list(getattr(self.spec, part))
        at = [getattr(member, key) for member in members].index(name)
        members[at] = msgspec.structs.replace(members[at], **values)
        self.spec = msgspec.structs.replace(self.spec, **{part: tuple(members)})

    def create(self) -> None:
        """Create the pool from the spec as it now is."""
        self.pool = create_pool(self.spec, owner=1, now_ns=START_NS, accounts=self.capacity)
        self.assets = list(self.spec.assets())
        self.underlyings = [u.name for u in self.spec.underlyings]
        self.instruments = [i.name for i in self.spec.instruments]
        self.quote = 10**self.spec.settlement_decimals
        self.held = [0] * len(self.assets)

    # Commands.

    def command(self, verb: str, words: list[str], expected: str) -> None:
        """Make the row of a command, apply it, and assert what must hold afterwards."""
        row = rows(1)
        kind, pattern = COMMANDS[verb]
        special = getattr(self, f"row_{verb}", None)
        values = special(words) if special else self.values(pattern.split(), words)
        for field, value in {"kind": kind, **values}.items():
            row[0][field] = value
        self.apply(row, Status[expected.upper()])

    def apply(self, row: Any, expected: Status) -> None:
        """Apply a row, and assert its status, a refusal's silence and the invariants."""
        before, statuses = pool_bytes(self.pool), np.zeros(1, dtype=np.int64)
        log = empty_log(room_for(self.pool, row))
        apply(self.pool, row, statuses, log)
        status = Status(int(statuses[0]))
        assert status == expected, f"the status is {status.name.lower()}"
        self.events = [dict(zip(e.dtype.names, e.tolist(), strict=True)) for e in recorded(log)]
        kind, c, amount = (int(row[0][field]) for field in ("kind", "asset", "amount"))
        if status != Status.OK:
            assert pool_bytes(self.pool) == before, f"P4: {status.name} has changed the pool"
            assert not self.events
        elif kind in (Kind.DEPOSIT, Kind.OPEN_POSITION, Kind.TOP_UP):
            self.held[c] += amount
        elif kind == Kind.WITHDRAW:
            self.held[c] -= amount
        elif kind == Kind.LIQUIDATE:
            self.assert_liquidated(int(row[0]["account"]))
        assert broken_invariants(self.pool, self.held) == []
        for a in range(account_count(self.pool)):
            levels = [int(excess(self.pool, a, level)) for level in Level]
            assert levels == sorted(levels), f"P18: the levels of account {a} do not nest"

    def assert_liquidated(self, a: int) -> None:
        """Assert that it reached target, another step, a wait or the end, and cost no equity."""
        is_at_target = excess(self.pool, a, Level.TARGET) >= 0
        is_cured = len(self.events) == 1 and self.events[0]["kind"] in CURES
        waits = self.pool.step[a] != Step.NONE or means_status(self.pool, a) != Status.OK
        assert is_at_target or is_cured or waits or not has_anything(self.pool, a), "P19: half-way"
        if self.events and self.events[0]["equity"] >= 0:
            assert equity(self.pool, a) >= 0, "P19: bonus or fee exceeded the equity"

    def values(self, pattern: list[str], words: list[str]) -> dict[str, int]:
        """Fields of a command row from words that follow a pattern."""
        assert len(pattern) == len(words), f"expected: {' '.join(pattern)}"
        asset = dict(zip(pattern, words, strict=True)).get("asset", "")
        coins = self.quote if place(self.assets, asset) == CASH else UNIT
        readers = {
            "account": ("account", self.account),
            "other": ("other", self.account),
            "asset": ("asset", lambda word: place(self.assets, word)),
            "instrument": ("instrument", lambda word: place(self.instruments, word)),
            "amount": ("amount", lambda word: number(word, coins)),
            "cash": ("amount", lambda word: number(word, self.quote)),
            "size": ("size", lambda word: number(word, UNIT)),
            "price": ("price", lambda word: number(word, PRICE_UNIT)),
            "rate": ("amount", lambda word: number(word, PRICE_UNIT)),
            "owner": ("other", int),
            "number": ("amount", int),
            "change": ("instrument", int),
            "at_most": ("amount", int),
            "reduces": ("size", int),
            "share": ("amount", lambda word: number(word, WHOLE)),
            "bonus": ("size", lambda word: number(word, self.quote)),
        }
        values = {}
        for name, word in zip(pattern, words, strict=True):
            if name in readers:
                field, read = readers[name]
                values[field] = read(word)
            else:
                assert word == name, f"{word!r} stands where {name!r} should"
        return values

    def account(self, name: str) -> int:
        """Index of an account, which is opened when it is named for the first time."""
        if name == "stranger":
            return account_count(self.pool)
        if name not in self.accounts:
            assert re.fullmatch(r"[A-Z]\d+", name), f"{name!r} is not the name of an account"
            self.accounts[name] = account_count(self.pool)
            owner = 1 if name[0] == "O" else 10 + len(self.accounts)  # O1 is the creator's
            self.command("open_account", [str(owner), name[1:]], "ok")
        return self.accounts[name]

    def row_command(self, words: list[str]) -> dict[str, int]:
        return {"kind": int(words[0])}

    def row_clock(self, words: list[str]) -> dict[str, int]:
        return {"time_ns": int(self.pool.total[Total.NOW_NS]) + duration(words[0])}

    def row_price(self, words: list[str]) -> dict[str, int]:
        """price ETH 1000 [confidence 5] [published -10s] [flag divergent]"""
        u = place(self.underlyings, words[0])
        more = pairs(words[2:])
        now = int(self.pool.total[Total.NOW_NS])
        published = now + duration(more.get("published", "0s"))
        if "published" not in more and 0 <= u < len(self.underlyings):
            published = max(now, int(self.pool.publish_time[u]) + 1)
        flag = more.get("flag", "none")
        return {
            "instrument": u,
            "price": number(words[1], PRICE_UNIT),
            "amount": number(more.get("confidence", "0"), PRICE_UNIT),
            "size": published,
            "asset": Flag[flag.upper()] if flag.upper() in Flag.__members__ else int(flag),
        }

    def row_risk(self, words: list[str]) -> dict[str, int]:
        """risk ETH-C 500 -80 90 [from 5]: values of one coin, from a slot on"""
        first = int(words[words.index("from") + 1]) if "from" in words else 0
        values = words[1 : words.index("from")] if "from" in words else words[1:]
        i = place(self.instruments, words[0])
        lot = int(self.pool.lot[i]) if 0 <= i < len(self.instruments) else UNIT
        fields = ("account", "other", "amount", "size", "price")
        slots = [number(value, self.quote) * lot // UNIT for value in values]
        return {"instrument": i, "asset": first, **dict(zip(fields, slots, strict=False))}

    def row_announce(self, words: list[str]) -> dict[str, int]:
        """announce haircut ETH target 0.2 in 1d [ramp 1d]"""
        at = words.index("in")
        parameter, index, scale = self.parameter(words[: at - 1])
        more = pairs(words[at:])
        return {
            "asset": parameter,
            "instrument": index,
            "amount": number(words[at - 1], scale),
            "size": int(self.pool.total[Total.NOW_NS]) + duration(more["in"]),
            "price": duration(more.get("ramp", "0s")),
        }

    def parameter(self, words: list[str]) -> tuple[int, int, int]:
        """Number, index and scale of a parameter named by its words."""
        known = parameter_named(words[0])
        parameter = int(words[0]) if known is None else known
        scale = _scales(self.quote).get(parameter, PPM)
        if parameter < Parameter.HAIRCUT or known is None:
            return parameter, int(words[1]) if len(words) > 1 else 0, scale
        if parameter <= Parameter.DEPOSIT_CAP:
            names = self.assets
        elif parameter < Parameter.POSITION_CAP:
            names = self.underlyings
        else:
            names = self.instruments
        index = place(names, words[1])
        if parameter in (Parameter.HAIRCUT, Parameter.FACTOR):
            index += Level[words[2].upper()] * len(names)
        return parameter, index, scale

    # Figures.

    def same(self, found: int, expected: str, scale: int) -> None:
        """Assert a figure, and show both in the unit that the story uses."""
        wanted = number(expected, scale)
        assert int(found) == wanted, f"found {int(found) / scale}, expected {wanted / scale}"

    def check_balance(self, account: str, amount: str, asset: str) -> None:
        c = self.assets.index(asset)
        scale = self.quote if c == CASH else UNIT
        self.same(self.pool.balance[self.account(account), c], amount, scale)

    def check_position(self, account: str, size: str, name: str, _cost: str, cost: str) -> None:
        a, i = self.account(account), self.instruments.index(name)
        self.same(self.pool.size[a, i], size, UNIT)
        self.same(self.pool.cost[a, i], cost, self.quote)

    def check_claim(self, account: str, value: str) -> None:
        self.same(self.pool.claim[self.account(account)], value, self.quote)

    def check_due(self, account: str, value: str) -> None:
        self.same(self.pool.due[self.account(account)], value, self.quote)

    def check_debt(self, account: str, value: str) -> None:
        shares = self.pool.debt_shares[self.account(account)]
        self.same(debt_of(self.pool, shares), value, self.quote)

    def check_shares(self, account: str, value: str) -> None:
        self.same(self.pool.supply_shares[self.account(account)], value, self.quote)

    def check_excess(self, account: str, level: str, value: str) -> None:
        self.same(excess(self.pool, self.account(account), Level[level.upper()]), value, self.quote)

    def check_equity(self, account: str, value: str) -> None:
        self.same(equity(self.pool, self.account(account)), value, self.quote)

    def check_health(self, account: str, value: str) -> None:
        self.same(health_factor(self.pool, self.account(account)), value, PPM)

    def check_total(self, row: str, value: str) -> None:
        scale = {"accounts": 1, "version": 1, "waiting": 1, "borrow_index": BASE}.get(
            row, self.quote
        )
        self.same(self.pool.total[Total[row.upper()]], value, scale)

    def check_parameter(self, *words: str) -> None:
        parameter, index, scale = self.parameter(list(words[:-1]))
        self.same(parameter_column(self.pool, parameter)[index], words[-1], scale)

    def check_step(self, account: str, name: str) -> None:
        found = Step(int(self.pool.step[self.account(account)])).name.lower()
        assert found == name, f"the step is {found}"

    def check_capital(self, account: str, value: str) -> None:
        self.same(self.pool.backstop_shares[self.account(account)], value, self.quote)

    def check_events(self, count: str) -> None:
        assert len(self.events) == int(count), self.events

    def check_event(self, kind: str, *words: str) -> None:
        event = self.events.pop(0)  # the next one of the last command, then done with
        assert Happening(event["kind"]).name == kind.upper()
        scales = {"size": UNIT, "price": PRICE_UNIT, "account": 1, "index": 1, "version": 1}
        scales |= {"health_before": PPM, "health_after": PPM}
        for field, value in pairs(list(words)).items():
            if field == "account" and value in self.accounts:
                assert event[field] == self.accounts[value]
            else:
                self.same(event[field], value, scales.get(field, self.quote))

    def twin(self) -> "Story":
        other = Story(self.spec)  # on a pool of its own, to be told differently from here on
        other.__dict__ |= self.__dict__ | {"accounts": dict(self.accounts)}
        other.pool, other.held = copied(self.pool), list(self.held)
        return other
