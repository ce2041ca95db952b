"""Runs what an example for a continuous integration runs: ci_steps.py FILE, in the directory of the project."""

import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML


def scripts(described):
    """The shell scripts of a GitHub workflow or of GitLab's jobs, in order."""
    if "jobs" in described:
        return [step["run"] for job in described["jobs"].values() for step in job["steps"] if "run" in step]
    jobs = [job for job in described.values() if isinstance(job, dict) and "script" in job]
    return [line for job in jobs for part in ("before_script", "script", "after_script") for line in job.get(part, [])]


def main():
    found = scripts(YAML(typ="safe").load(Path(sys.argv[1])))
    assert len(found) >= 2, "an example has the tests and the check"
    for script in found:
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"exit code {done.returncode} of:\n{script}")


main()
