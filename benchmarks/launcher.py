"""Run a command and write its measurement as JSON: `python launcher.py FILE COMMAND...`.

The JSON is [wall seconds, CPU seconds, peak resident size in the unit of the system, exit code]. On Linux,
the peak of a process is at least the memory of the process that starts it, so a small one has to do that.
"""

import json
import os
import sys
import time

file, *command = sys.argv[1:]
began = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(process, 0)
wall_s = time.perf_counter() - began
with open(file, "w") as out:
    cpu_s = usage.ru_utime + usage.ru_stime
    json.dump([wall_s, cpu_s, usage.ru_maxrss, os.waitstatus_to_exitcode(status)], out)
