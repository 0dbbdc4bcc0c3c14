"""The order of a run: make the world, measure the subjects asked for, print a table for each."""
import argparse
import signal
import sys
import time

from bench import answering, finding, heavy, loading, report, signing
from bench.world import CORPUS, make_world

SUBJECTS = {"import": loading.importing, "index": loading.indexing, "search": finding.searching,
            "avails": answering.availability, "title": heavy.heavy_title,
            "signings": signing.signings}  # signings last: they change what is free


def main():
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Slate on the real corpus.")
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"of {', '.join(SUBJECTS)}; all by default")
    wanted = parser.parse_args().subjects or list(SUBJECTS)
    if unknown := set(wanted) - set(SUBJECTS):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(SUBJECTS)}")
    if not CORPUS.is_dir():
        parser.error(f"the corpus is not at {CORPUS}; set SLATE_CORPUS")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the temporary folder goes, too
    began = time.monotonic()
    with make_world() as world:
        print(report.header(*world.size()), flush=True)
        for name, measure in SUBJECTS.items():
            if name in wanted:
                report.show(measure(world))
    report.say(f"done in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
