"""What a program costs that is given a file."""
import subprocess
import sys

# asked of a small process: a large one lends its size to its children
COST = """import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, stdin=sys.stdin)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, done.returncode)"""


def cost_of(words, file) -> tuple[float, float, float]:
    """(seconds of the processor, bytes at most, how it ended) of a program that reads a file."""
    return tuple(map(float, subprocess.run([sys.executable, "-I", "-S", "-c", COST, *words], stdin=file,
                                           capture_output=True, text=True, check=True).stdout.split()))
