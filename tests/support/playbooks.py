"""Runs Ansible's playbooks against machines of a lab."""

import json
import os
import re
import shutil
import subprocess

from lab import ROOT, LabError

ANSIBLE = ROOT / "ansible"


def missing():
    return "" if shutil.which("ansible-playbook") else "ansible-core is not installed"


class Playbooks:
    def __init__(self, lab, groups, variables, name="inventory"):
        """groups: names of machines by group; variables: by machine, or by "all"."""
        self.lab = lab
        self.directory = lab.directory / name
        (self.directory / "group_vars").mkdir(parents=True)
        (self.directory / "host_vars").mkdir()
        # Machines are entered as root, and have no sudo.
        inventory = {"all": {"vars": {"ansible_become": False}, "children": {group: {"hosts": {name: {} for name in names}}
                                          for group, names in groups.items()}}}
        (self.directory / "hosts.yml").write_text(json.dumps(inventory))
        for name, values in variables.items():
            kind = "group_vars" if name == "all" or name in groups else "host_vars"
            (self.directory / kind / f"{name}.yml").write_text(json.dumps(values))

    def run(self, playbook, *arguments, check=True, timeout=600, environment=None):
        path = playbook if str(playbook).startswith("/") else ANSIBLE / playbook
        done = subprocess.run(
            ["ansible-playbook", "-i", self.directory / "hosts.yml", path, *map(str, arguments)],
            capture_output=True, text=True, timeout=timeout, cwd=ANSIBLE,
            env={**os.environ, "ANSIBLE_SSH_EXECUTABLE": str(ROOT / "tests/support/machine_ssh"),
                 "ANSIBLE_SSH_TRANSFER_METHOD": "piped", "TORII_MACHINES": str(self.lab.directory),
                 "ANSIBLE_HOST_KEY_CHECKING": "False", "ANSIBLE_NOCOLOR": "1",
                 "ANSIBLE_ROLES_PATH": str(ANSIBLE / "roles"), "ANSIBLE_SSH_ARGS": "",
                 "ANSIBLE_LOCAL_TEMP": str(self.lab.directory / "ansible"), **(environment or {})})
        if check and done.returncode != 0:
            raise LabError(f"ansible-playbook {playbook}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done


def changed(output):
    """How many tasks changed something, by host."""
    return {host: int(count) for host, count in re.findall(r"(?m)^(\S+)\s*: ok=\d+\s+changed=(\d+)", output)}
