"""P16: no state changes without a valid signature of an authorised key, whatever is sent.

Random signed commands, honest ones and ones spoiled in every way that a forger may think of. A
model that is written apart from the venue keeps a book of its own and predicts each answer.
"""

import random

import msgspec
import pytest
from tests.consent.ceremony import ANN, BEN, DOMAIN, EVE, MINUTE_MS, Ceremony, key, signature
from tests.properties.profile import BASE_SEED, examples

from ringfence.signing.keys import ORDER, SigningKey
from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m

SEEDS, STEPS = 3, 150
OWNERS = (ANN, BEN, EVE)
SESSIONS = [key(f"session {number}") for number in range(5)]
FLAWS = ("none", "none", "none", "bit", "twin", "signer", "body", "expired", "nonce", "domain")


class Model:
    """Who may do what, as plainly as it can be said."""

    def __init__(self) -> None:
        self.wallets = {of.owner for of in OWNERS}
        self.grants: dict[str, m.GrantKey] = {}
        self.gone: set[str] = set()

    def may(self, signer: str, command: object, now_ms: int) -> bool:
        """Whether one signature of this signer is enough for a command."""
        if signer in self.gone:
            return False
        owner = getattr(command, "owner", None)
        if isinstance(command, m.RevokeKey):
            grant = self.grants.get(command.key)
            is_own = grant is not None and grant.owner == owner
            return is_own and signer in {owner, command.key}
        if isinstance(command, c.Settle):
            return signer in self.wallets or self.has(signer, None, "keep", command, now_ms)
        scope = {c.Deposit: "collateral", c.Withdraw: "collateral", c.Supply: "lend"}
        wanted = scope.get(type(command))
        return signer == owner or self.has(signer, owner, wanted, command, now_ms)

    def has(self, signer, owner, scope, command, now_ms) -> bool:
        """Whether a live session key carries a scope for a pool of the owner."""
        grant = self.grants.get(signer)
        return (
            grant is not None
            and grant.owner == (owner or grant.owner)
            and scope in grant.scopes
            and (not grant.pools or command.pool in grant.pools)
            and now_ms <= grant.until_ms
        )


def drawn(rng: random.Random, venue: Ceremony) -> m.Signable:
    """A command of somebody."""
    owner = rng.choice(OWNERS).owner
    pool = rng.choice([venue.pool, venue.pool, venue.other_pool])
    amount = str(rng.choice([1, 5, 40, 10**7]))
    return rng.choice(
        [
            c.Deposit(pool=pool, owner=owner, asset="USDC", amount=amount),
            c.Withdraw(pool=pool, owner=owner, asset="USDC", amount=amount),
            c.Supply(pool=pool, owner=owner, amount=amount),
            c.Settle(pool=pool),
            m.Send(owner=owner, asset="USDC", amount=amount),
            m.RevokeKey(owner=owner, key=rng.choice(SESSIONS).owner),
        ]
    )


def granted(rng: random.Random, venue: Ceremony, model: Model) -> None:
    """Grant a session key that is still new, by both signatures, and tell the model."""
    fresh = [of for of in SESSIONS if of.owner not in model.grants and of.owner not in model.gone]
    if not fresh:
        return
    of, owner = rng.choice(fresh), rng.choice([ANN, BEN])
    grant = venue.grant(
        owner=owner.owner,
        key=of.owner,
        scopes=tuple(rng.sample(["collateral", "lend", "keep"], rng.randint(1, 3))),
        pools=rng.choice([(), (venue.pool,), (venue.other_pool,)]),
        until_ms=venue.now_ms + rng.choice([2_000, 10**9]),
    )
    assert venue.tries(grant, rng.choice([*SESSIONS, EVE]), of) != "ok"
    venue.must(grant, owner, of)
    model.grants[of.owner] = grant


def spoiled(rng: random.Random, flaw: str, signed: m.Signed) -> m.Signed:
    """The command with a flaw in its signature."""
    (by,) = signed.authorisations
    data = bytearray.fromhex(by.signature[2:])
    if flaw == "bit":
        data[rng.randrange(64)] ^= 1 << rng.randrange(8)
    if flaw == "twin":
        s = ORDER - int.from_bytes(data[32:64])
        data[32:64], data[64] = s.to_bytes(32), 55 - data[64]
    if flaw == "signer":
        by = msgspec.structs.replace(by, signer=rng.choice([*SESSIONS, EVE]).owner)
    if flaw == "body":
        changed = (
            {"pool": "ff" * 32} if hasattr(signed.command, "pool") else {"owner": "0x" + "9" * 40}
        )
        signed = msgspec.structs.replace(
            signed, command=msgspec.structs.replace(signed.command, **changed)
        )
    by = msgspec.structs.replace(by, signature="0x" + data.hex())
    return msgspec.structs.replace(signed, authorisations=(by,))


Used = list[tuple[SigningKey, int]]  # who signed with which nonce


def one_step(rng: random.Random, venue: Ceremony, model: Model, used: Used) -> str:
    """Send something; the venue has to take it exactly when the model does."""
    command, signer = drawn(rng, venue), rng.choice([*OWNERS, *SESSIONS])
    if rng.random() < 0.5:
        named = getattr(command, "owner", ANN.owner)
        signer = next(of for of in OWNERS if of.owner == named)
    flaw = rng.choice(FLAWS)
    nonce = venue.nonce()
    if flaw == "nonce" and used:
        signer, nonce = rng.choice(used)
    domain = msgspec.structs.replace(DOMAIN, chain_id=1) if flaw == "domain" else DOMAIN
    end = venue.now_ms + (-1 if flaw == "expired" else MINUTE_MS)
    by = signature(command, signer, nonce, end, domain)
    honest = m.Signed(command=command, authorisations=(by,), client_id=f"{rng.random()}")
    sent = spoiled(rng, flaw, honest)
    is_spoiled = sent != honest or flaw in {"expired", "domain"} or (signer, nonce) in used
    before, seq = venue.venue.state.digest(), venue.venue.journal.seq
    answer = venue.answer(sent)
    is_taken = venue.venue.journal.seq == seq + 1
    may = not is_spoiled and model.may(signer.owner, command, venue.now_ms)
    assert is_taken == may, (flaw, answer, type(command).__name__)
    assert is_taken or venue.venue.state.digest() == before
    if is_taken:
        used.append((signer, nonce))
        if isinstance(command, m.RevokeKey):
            model.gone.add(command.key)
            del model.grants[command.key]
    return f"{flaw}: {'taken' if is_taken else 'refused'}"


@pytest.mark.parametrize("number", range(examples(SEEDS)))
def test_nothing_changes_without_a_signature_of_somebody_who_may(number):
    rng = random.Random(BASE_SEED + number)
    venue, model = Ceremony(), Model()
    used: Used = []
    seen = []
    for _ in range(STEPS):
        if rng.random() < 0.1:
            granted(rng, venue, model)
        if rng.random() < 0.1:
            venue.scene.tick()
        seen.append(one_step(rng, venue, model, used))
    where = f"RINGFENCE_SEED={BASE_SEED + number}"
    assert seen.count("none: taken") >= STEPS // 50, where
    assert {f"{flaw}: refused" for flaw in FLAWS} <= set(seen), where
    assert venue.venue.verify() == [], where
