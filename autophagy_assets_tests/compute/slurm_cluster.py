"""A real Slurm of one node on this machine, as root and without systemd, in a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch"]
SETTINGS = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmctldPort={controller}
SlurmdPort={node}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1,batch_sched_delay=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000 State=UNKNOWN
PartitionName=screens Nodes={host} Default=YES MaxTime=02:00:00 State=UP
"""


def missing() -> list[str]:
    """Programs of Slurm that this machine lacks."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


class Slurm:
    """Starts it; ``environment`` is what its commands need.

    Parameters
    ----------
    folder : pathlib.Path
        Holds its settings, state and logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._processes = folder, list[subprocess.Popen]()
        host = socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        (folder / "munge.key").write_bytes(secrets.token_bytes(64))
        (folder / "munge.key").chmod(0o600)
        ports = {"controller": _free_port(), "node": _free_port()}
        settings = folder / "slurm.conf"
        settings.write_text(SETTINGS.format(folder=folder, host=host, **ports))
        path = f"{os.environ['PATH']}:/usr/sbin"
        self.environment = {**os.environ, "SLURM_CONF": str(settings), "PATH": path}
        munge = [f"--{name}={folder}/munge.{name}" for name in ("socket", "pid-file", "seed-file")]
        munge += [f"--key-file={folder}/munge.key", f"--log-file={folder}/munge.log"]
        self._start("munged", "--foreground", "--force", *munge)
        while not (folder / "munge.socket").exists():
            time.sleep(0.05)
        self._start("slurmctld", "-D", "-f", str(settings))
        self._start("slurmd", "-D", "-f", str(settings), "-N", host)
        end = time.monotonic() + 60
        while "idle" not in self.ask("sinfo", "-h", "-o", "%t"):
            assert time.monotonic() < end, self.said()
            time.sleep(0.2)

    def ask(self, *command: str) -> str:
        """What a command of Slurm prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.stdout + done.stderr

    def said(self) -> str:
        """What its programs have printed."""
        return "\n".join(file.read_text()[-3000:] for file in self.folder.glob("*.said"))

    def end(self) -> None:
        """End it, and its jobs."""
        self.ask("scancel", "--user", "root")
        end = time.monotonic() + 15
        while self.ask("squeue", "-h").strip() and time.monotonic() < end:
            time.sleep(0.2)
        for process in self._processes[::-1]:
            process.kill()
            process.wait()

    def _start(self, program: str, *arguments: str) -> None:
        said = (self.folder / f"{program}.said").open("w")
        command = [program, *arguments]
        process = subprocess.Popen(command, env=self.environment, stdout=said, stderr=said)
        self._processes.append(process)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
