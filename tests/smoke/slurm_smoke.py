# SPDX-License-Identifier: MIT
"""A study on a cluster of one node: Slurm's own daemons on loopback. Needs its programs, munge, and root."""

import os
import shutil
import socket
import subprocess
import sys
import time

import smoke

CONFIGURATION = """
ClusterName=smoke
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller}
SlurmdPort={node}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
STUDY = """
name: cluster
machines: [edge-int4]
workloads: [tiny]
mapping: greedy
axes:
  - {parameter: dram.channels, values: [1, 2, 4]}
  - {parameter: vector_unit.lanes, values: [32, 64, 128]}
  - {parameter: log_gradient.lanes, values: [8, 16]}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Slurm(smoke.Case):
    def start(self, *command):
        """A daemon in the foreground, ended with the test."""
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

    def setUp(self):
        super().setUp()
        host = socket.gethostname().split(".")[0]
        for name in ["state", "spool"]:
            os.mkdir(self.path(name))
        os.chmod(self.directory, 0o755)
        self.write("slurm.conf", CONFIGURATION.format(host=host, folder=self.directory, controller=free_port(),
                                                      node=free_port(), cores=os.cpu_count()))
        self.environment = {**os.environ, "SLURM_CONF": self.path("slurm.conf")}
        with open(self.path("munge.key"), "wb") as file:
            file.write(os.urandom(128))
        os.chmod(self.path("munge.key"), 0o400)
        self.start("munged", "--foreground", "--force", f"--key-file={self.path('munge.key')}",
                   f"--socket={self.path('munge.socket')}", f"--pid-file={self.path('munge.pid')}",
                   f"--seed-file={self.path('munge.seed')}", f"--log-file={self.path('munge.log')}")
        self.wait_for(lambda: os.path.exists(self.path("munge.socket")), "munge.log")
        self.start("slurmctld", "-D", "-c", "-f", self.path("slurm.conf"))
        self.start("slurmd", "-D", "-f", self.path("slurm.conf"))
        self.wait_for(lambda: "idle" in subprocess.run(["sinfo", "--noheader", "--format=%t"], capture_output=True,
                                                       text=True, env=self.environment).stdout, "slurmctld.log")

    def wait_for(self, condition, log):
        deadline = time.monotonic() + 60
        while not condition():
            if time.monotonic() > deadline:
                with open(self.path(log), encoding="utf-8", errors="replace") as file:
                    self.fail(f"waited too long; {log}:\n{file.read()[-2000:]}")
            time.sleep(0.2)

    def sweep(self, text, out, *flags):
        smoke.run("sweep", self.write("study.yaml", text), "--out", self.path(out), *flags, env=self.environment)
        with open(os.path.join(self.path(out), "points.json"), "rb") as file:
            return file.read()

    def test_the_same_table_as_without(self):
        for name, more in {"grid": "", "stages": "confirm: 3\n"}.items():
            with self.subTest(name):
                alone = self.sweep(STUDY + more, f"{name}-alone")
                array = self.sweep(STUDY + more, f"{name}-array", "--launcher", "slurm", "--slurm-tasks", "3",
                                   "--slurm-option=--time=5")
                self.assertEqual(array, alone)
                self.assertEqual(sorted(os.listdir(self.path(f"{name}-array/results"))),
                                 ["local.db"] + [f"shard-{i}-of-3.db" for i in [1, 2, 3]])

    def test_an_option_that_slurm_refuses(self):
        _, errors = smoke.run("sweep", self.write("study.yaml", STUDY), "--out", self.path("out"), "--launcher", "slurm",
                              "--slurm-option=--partition=nowhere", expect=2, env=self.environment)
        self.assertIn("sbatch", errors)
        self.assertIn("partition", errors)


if __name__ == "__main__":
    missing = [name for name in ["munged", "slurmctld", "slurmd", "sbatch"]
               if not shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")]
    if missing or os.geteuid() != 0:
        print(f"skipped: no {', '.join(missing)}" if missing else "skipped: Slurm's daemons need root")
        sys.exit(77)
    os.environ["PATH"] += ":/usr/sbin"
    smoke.main()
