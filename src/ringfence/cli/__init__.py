"""The command line: one module a command, loaded when it is called.

Starting must stay quick, so hardly anything is imported here; the modules of the commands may
import what they like. A command returns its exit code: 0 for success, 1 for a finding, and it
calls `fail` for bad usage or input, which ends with 2.
"""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

from cyclopts import App, CycloptsError, UnknownCommandError

from ringfence.cli.exits import INTERRUPTED, USAGE, FailError, note

# The help texts stand here, so that `ringfence --help` loads none of the modules.
COMMANDS = {
    "demo": (
        "ringfence.cli.replay:demo",
        "Run isolated pools through a generated price crash.",
        "ringfence demo",
    ),
    "replay": (
        "ringfence.cli.replay:replay",
        "Run isolated pools through a file of market prices.",
        "ringfence replay prices.csv --symbol ETH --seed 1 --journal venue.journal",
    ),
    "serve": (
        "ringfence.cli.serve:serve",
        "Serve a venue over HTTP and WebSocket, with a dashboard.",
        "ringfence serve --replay demo",
    ),
    "top": (
        "ringfence.cli.top:top",
        "Watch a running venue in the terminal.",
        "ringfence top http://127.0.0.1:8080",
    ),
    "verify": (
        "ringfence.cli.verify:verify",
        "Check a journal: its chain, its anchor and its replay.",
        "ringfence verify venue.journal",
    ),
    "simulate": (
        "ringfence.cli.simulate:simulate",
        "Show what commands would do to a pool, changing nothing.",
        "ringfence simulate venue.journal commands.json --pool eth-majors",
    ),
    "margin": (
        "ringfence.cli.margin:margin",
        "Show what a portfolio needs under a margin model.",
        "ringfence margin portfolio.toml --model deribit-like",
    ),
    "bench": (
        "ringfence.cli.bench:bench",
        "Measure the engine against baselines on this machine.",
        "ringfence bench core --quick",
    ),
    "doctor": (
        "ringfence.cli.doctor:doctor",
        "Check that this machine can run the engine.",
        "ringfence doctor",
    ),
    "pool template": (
        "ringfence.cli.pool:template",
        "Print an example of a pool's spec.",
        "ringfence pool template > pool.toml",
    ),
    "pool create": (
        "ringfence.cli.pool:create",
        "Create a pool from a spec.",
        "ringfence pool create pool.toml --journal venue.journal --creator 0x" + 20 * "c0",
    ),
    "pool list": (
        "ringfence.cli.pool:list_pools",
        "List the pools of a journal.",
        "ringfence pool list --journal venue.journal",
    ),
    "pool show": (
        "ringfence.cli.pool:show",
        "Show a pool and its worst accounts.",
        "ringfence pool show eth-majors --journal venue.journal --accounts 5",
    ),
    "journal tail": (
        "ringfence.cli.journal:tail",
        "Show the last entries.",
        "ringfence journal tail venue.journal --count 5",
    ),
    "journal show": (
        "ringfence.cli.journal:show",
        "Show one entry in full.",
        "ringfence journal show 42 venue.journal",
    ),
    "journal export": (
        "ringfence.cli.journal:export",
        "Print entries as JSON, one a line.",
        "ringfence journal export venue.journal --from 1 --to 100 > entries.jsonl",
    ),
    "data list": (
        "ringfence.cli.data:list_datasets",
        "List the catalogue of public price files.",
        "ringfence data list",
    ),
    "data get": (
        "ringfence.cli.data:get",
        "Download a file of the catalogue.",
        "ringfence data get eth-2021-01 --folder data --accept-digest",
    ),
}
_GROUPS = {
    "pool": "Create pools and look at them.",
    "journal": "Read the entries of a journal.",
    "data": "Fetch public price files.",
}


def build() -> App:
    """Return the whole command line, its commands not yet loaded."""
    app = App(
        name="ringfence",
        help="Isolated-margin clearing and risk engine for crypto derivatives.",
        help_epilogue="Exit codes: 0 success, 1 a finding, 2 wrong usage or input, 130 stopped by Ctrl-C.",
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    groups = {name: App(name=name, help=text) for name, text in _GROUPS.items()}
    for member in groups.values():
        app.command(member)
    for words, (path, summary, example) in COMMANDS.items():
        group, _, name = words.rpartition(" ")
        parent = groups.get(group, app)
        parent.command(path, name=name, help=f"{summary}\n\nExample: {example}")
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = build()(
            sys.argv[1:] if arguments is None else arguments,
            print_error=False,
            exit_on_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()  # here, where a reader that has gone away can be told
    except (CycloptsError, FailError) as error:
        note(f"ringfence: {_explained(error)}")
        return USAGE
    except KeyboardInterrupt:
        note("ringfence: stopped")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough; nothing may be flushed to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _explained(error: Exception) -> str:
    """Return a message; that of an unknown command would load every other one's module."""
    if isinstance(error, UnknownCommandError) and error.app and error.unused_tokens:
        word = error.unused_tokens[0]
        known = [name for name in error.app if not name.startswith("-")]
        close = get_close_matches(word, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
        return f"there is no command {word!r}; {hint}"
    return str(error)
