"""The compile cache: those of older sources go when nobody has used them for a week."""

import os

import pytest

from ringfence.compiled import CACHE, UNUSED_SECONDS, last_used, remove_unused_caches

NOW = 1_800_000_000
OLD = NOW - UNUSED_SECONDS - 1


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """A folder of caches by name, at a time that stands still."""
    utime = os.utime
    monkeypatch.setattr("ringfence.compiled.os.utime", lambda path: utime(path, (NOW, NOW)))

    def make(name, begun, added=None):
        """A cache with one kernel, last begun with and last added to at these times."""
        kernels = tmp_path / name / "core_12ab"
        kernels.mkdir(parents=True)
        (kernels / "apply.1.nbc").write_bytes(b"machine code")
        utime(kernels, (added or begun, added or begun))
        utime(tmp_path / name, (begun, begun))
        return tmp_path / name

    return make


def test_only_caches_that_were_not_used_for_a_week_are_removed(caches):
    current = caches("0123456789abcdef", OLD)
    unused = caches("1" * 16, OLD)
    in_use = caches("2" * 16, OLD + 1)
    added_to = caches("3" * 16, OLD, added=OLD + 1)
    of_the_future = caches("4" * 16, NOW + 1)
    not_ours = caches("somebody_elses", OLD)
    remove_unused_caches(current)
    assert not unused.exists()
    for kept in (current, in_use, added_to, of_the_future, not_ours):
        assert (kept / "core_12ab" / "apply.1.nbc").exists()
    assert last_used(current) == NOW  # and so it stays for a week


def test_nothing_is_removed_before_a_cache_of_ones_own_is_there(caches, tmp_path):
    unused = caches("1" * 16, OLD)
    remove_unused_caches(tmp_path / ("0" * 16))
    assert unused.exists()
    assert not (tmp_path / ("0" * 16)).exists()


def test_what_cannot_be_removed_is_no_error_and_keeps_no_other(caches, monkeypatch):
    current, stubborn, unused = (caches(digit * 16, OLD) for digit in "012")
    look = last_used

    def denied(cache):
        if cache == stubborn:
            raise PermissionError(cache)
        return look(cache)

    monkeypatch.setattr("ringfence.compiled.last_used", denied)
    remove_unused_caches(current)
    assert stubborn.exists()
    assert not unused.exists()
    monkeypatch.setattr("ringfence.compiled.os.utime", lambda _path: denied(stubborn))
    remove_unused_caches(current)


def test_the_cache_of_this_source_is_one_that_would_be_found():
    assert CACHE.parent.name == "__pycache__"
    assert len(bytes.fromhex(CACHE.name)) == 8
