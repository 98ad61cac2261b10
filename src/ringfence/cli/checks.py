"""The checks of `doctor` that need the engine's own packages."""

import os
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import apsw
from llvmlite import binding

from ringfence.cli.packages import FAIL, OK, WARN, Check, numbers
from ringfence.compiled import CACHE
from ringfence.journal.errors import JournalError
from ringfence.journal.schema import SQLITE_VERSION_MIN
from ringfence.journal.sqlite import Journal
from ringfence.journal.verify import verify_chain
from ringfence.lab.datasets import DATASETS
from ringfence.units import DAY_NS, SECOND_NS, YEAR_SECONDS
from ringfence.venue.clock import SystemClock

COMMITS = 20  # measured; the median counts
FREE_BYTES_MIN = 2**30
# The clock of a machine that lost its battery starts in 1970 or 2000.
EARLIEST_NS = (2025 - 1970) * YEAR_SECONDS * SECOND_NS
LATEST_NS = EARLIEST_NS + 36_500 * DAY_NS


def machine_checks(folder: Path, data: Path) -> list[Check]:
    """Return the checks, in the order in which to mend things."""
    return [
        sqlite(),
        processor(),
        compiler(),
        compile_cache(CACHE),
        disk(folder),
        clock(SystemClock().now_ns()),
        price_files(data),
    ]


def sqlite() -> Check:
    """Whether SQLite keeps what it was told to keep."""
    found = apsw.sqlite_lib_version()
    if numbers(found) < SQLITE_VERSION_MIN:
        least = ".".join(map(str, SQLITE_VERSION_MIN))
        return Check("sqlite", FAIL, found, f"install an apsw that bundles SQLite {least} or later")
    return Check("sqlite", OK, found)


def processor() -> Check:
    """What the kernels are compiled for."""
    features = binding.get_host_cpu_features()
    wide = [name for name in ("avx2", "avx512f", "neon", "sve") if features.get(name)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = f"{platform.machine()} {binding.get_host_cpu_name()}, {cores} cores, {wide}"
    if not wide:
        return Check("processor", WARN, found, "results are the same, scans are slower")
    return Check("processor", OK, found)


def compiler() -> Check:
    """Whether kernels are compiled at all."""
    switches = {n: os.environ[n] for n in sorted(os.environ) if n.startswith("NUMBA_")}
    if switches.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}:
        fix = "unset NUMBA_DISABLE_JIT: kernels run interpreted, hundreds of times slower"
        return Check("compiler", WARN, str(switches), fix)
    return Check("compiler", OK, str(switches) if switches else "default switches")


def compile_cache(folder: Path) -> Check:
    """Whether compiled kernels are kept, and whether they are there already."""
    parent = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(parent, os.W_OK):
        fix = f"make {parent} writable, or every start compiles again"
        return Check("compile cache", WARN, f"{folder} cannot be written", fix)
    files = [file for file in folder.rglob("*.nbc") if file.is_file()] if folder.exists() else []
    if not files:
        fix = "the first run compiles, up to a minute; later ones do not"
        return Check("compile cache", WARN, f"{folder} is empty", fix)
    size = sum(file.stat().st_size for file in files)
    return Check("compile cache", OK, f"{len(files)} kernels, {size / 2**20:.1f} MB in {folder}")


def disk(folder: Path) -> Check:
    """Whether a journal can be committed, locked and verified in a folder."""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".ringfence-doctor-") as scratch:
            path = Path(scratch) / "doctor.journal"
            seconds = commit_seconds(path)
            report = verify_chain(path)
    except (JournalError, OSError) as error:
        return Check("disk", FAIL, str(error), "give a writable folder on a local disk (--folder)")
    if not report.ok:
        fix = "put journals on another disk"
        return Check("disk", FAIL, report.problems[0].message, fix)
    free = shutil.disk_usage(folder).free
    found = f"a commit takes {seconds * 1e3:.2f} ms, {free / 2**30:.1f} GB free"
    if free < FREE_BYTES_MIN:
        return Check("disk", WARN, found, "a full disk halts the venue; make room")
    return Check("disk", OK, found)


def commit_seconds(path: Path) -> float:
    """Median time of a durable commit to a new journal."""
    times = []
    with Journal.open(path) as journal:
        for n in range(COMMITS):
            journal.append(n, "doctor", b"", bytes(1000))
            start = time.perf_counter()
            journal.commit()
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def clock(now_ns: int) -> Check:
    """Whether the machine's clock can be right; entries and prices are stamped with it."""
    if not EARLIEST_NS < now_ns < LATEST_NS:
        return Check("clock", FAIL, f"{now_ns} ns since 1970", "set the clock, best by NTP")
    step = time.get_clock_info("time").resolution
    return Check("clock", OK, f"{now_ns} ns since 1970, in steps of {step:g} s")


def price_files(folder: Path) -> Check:
    """Which price files of the catalogue are there; none is needed."""
    if folder.exists() and not folder.is_dir():
        return Check("price files", FAIL, f"{folder} is not a folder", "move it, or give --data")
    there = [d.name for d in DATASETS if (folder / d.filename).is_file()]
    found = ", ".join(there) if there else f"none in {folder}; `ringfence data list` has some"
    return Check("price files", OK, found)
