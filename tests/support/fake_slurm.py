"""The commands of SLURM, as far as submitit calls them, on this machine alone."""

import stat
import sys
from pathlib import Path

# Job 4242; the jobs of an array one after the other, in the background as sbatch does.
_SBATCH = """#!{python}
import os, re, subprocess, sys
script = sys.argv[1]
given = dict(re.findall(r"#SBATCH --([a-z-]+)=(\\S+)", open(script).read()))
last = int(re.match(r"0-(\\d+)", given.get("array", "0-0"))[1])
tasks, nodes = int(given["ntasks-per-node"]), int(given["nodes"])
env = {{"SLURM_NTASKS": tasks * nodes, "SLURM_NTASKS_PER_NODE": tasks, "SLURM_NNODES": nodes,
       "SLURM_JOB_NAME": given["job-name"], "SLURM_NODELIST": "localhost", "SLURM_JOB_NODELIST": "localhost",
       "SLURM_JOB_NUM_NODES": nodes, "SLURM_TASKS_PER_NODE": tasks}}
calls = []
for index in range(last + 1):
    own = {{**env, "SLURM_JOB_ID": 4242 + index}}
    if "array" in given:
        own |= {{"SLURM_ARRAY_JOB_ID": 4242, "SLURM_ARRAY_TASK_ID": index}}
    calls.append("env " + " ".join(f"{{k}}={{v}}" for k, v in own.items()) + " bash " + script)
subprocess.Popen(["bash", "-c", "; ".join(calls)], start_new_session=True,
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("Submitted batch job 4242")
"""

_SRUN = """#!{python}
import os, subprocess, sys
arguments = sys.argv[1:]
output = None
while arguments[0].startswith("--"):
    word = arguments.pop(0)
    if word == "--output":
        output = arguments.pop(0)
job = os.environ["SLURM_JOB_ID"]
array = os.environ.get("SLURM_ARRAY_JOB_ID", job), os.environ.get("SLURM_ARRAY_TASK_ID", "")
running = []
for task in range(int(os.environ["SLURM_NTASKS"])):
    env = {{**os.environ, "SLURM_PROCID": str(task), "SLURM_LOCALID": str(task), "SLURM_NODEID": "0",
           "SLURM_STEP_ID": "0"}}
    file = output.replace("%A", array[0]).replace("%a", array[1]).replace("%j", job).replace("%t", str(task))
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "a") as log:
        running.append(subprocess.Popen(arguments, env=env, stdout=log, stderr=subprocess.STDOUT))
sys.exit(max(process.wait() for process in running))
"""

_SACCT = """#!/bin/bash
echo "JobID|State|NodeList"
"""


def make_fake_slurm(folder: Path) -> Path:
    """Write ``sbatch``, ``srun``, ``sacct`` and ``scontrol`` into a folder for ``PATH``."""
    folder.mkdir(parents=True)
    texts = {"sbatch": _SBATCH, "srun": _SRUN, "sacct": _SACCT, "scontrol": _SACCT}
    for name, text in texts.items():
        file = folder / name
        file.write_text(text.format(python=sys.executable) if "{python}" in text else text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return folder
