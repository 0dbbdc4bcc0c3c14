"""Runs another program within limits, and lets it end with whoever started it. Run as a program, never imported.

    python -I bounded.py SECONDS MEMORY LARGEST PROGRAM WORD…    of the processor; bytes; bytes of any file it writes
"""
import ctypes
import os
import resource
import signal
import sys


def main(seconds, memory, largest, *words):
    for what, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, largest),
                       (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (int(most), int(most)))
    os.nice(10)  # pages come first
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    os.execv(words[0], words)  # noqa: S606 - our own words


if __name__ == "__main__":
    main(*sys.argv[1:])
