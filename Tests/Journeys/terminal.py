#!/usr/bin/env python3
"""Runs a command on a terminal of its own, as a person would, and types.

    terminal.py [--type SHOWN KEYS]... [--at FILE KEYS] -- COMMAND...

types each KEYS once: when SHOWN has been shown behind what the one before waited for, or when FILE is there. \\x03 in
KEYS is Ctrl-C, \\n is Enter. Prints everything that the terminal showed. Exits as the command did: with its code, or
with 128 and the number of the signal that killed it; with 124 when it has not ended after fifteen minutes.
"""

import argparse
import os
import pty
import select
import signal
import sys
import time

LIMIT_SECONDS = 900


def typed(keys):
    return keys.encode().decode("unicode_escape").encode()


def show(terminal, child, steps, files):
    """Types as the steps say until the command has closed its terminal."""
    shown = bytearray()
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(LIMIT_SECONDS)
    while True:
        while files and os.path.exists(files[0][0]):
            os.write(terminal, files.pop(0)[1])
        if not select.select([terminal], [], [], 0.02 if files else None)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux reports the end of a terminal as EIO.
            return
        if not piece:
            return
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        shown += piece
        while steps and steps[0][0] in shown:
            when, keys = steps.pop(0)
            del shown[: shown.index(when) + len(when)]
            os.write(terminal, keys)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--type", nargs=2, action="append", default=[], metavar=("SHOWN", "KEYS"))
    parser.add_argument("--at", nargs=2, action="append", default=[], metavar=("FILE", "KEYS"))
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    steps = [(when.encode(), typed(keys)) for when, keys in options.type]
    files = [(path, typed(keys)) for path, keys in options.at]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(options.command[0], options.command)
    started = time.monotonic()
    show(terminal, child, steps, files)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if time.monotonic() - started >= LIMIT_SECONDS:
        sys.exit(124)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
