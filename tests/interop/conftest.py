import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from cluster import Cluster  # noqa: E402
from lab import Lab  # noqa: E402


@pytest.fixture(scope="session")
def lab_prefix():
    """Namespaces of two runs on one machine must not meet."""
    return "tt" + os.environ.get("TORII_BUILD", "build").replace("build", "")


@pytest.fixture
def lab(lab_prefix, request):
    with Lab(lab_prefix + "-lab") as lab:
        yield lab
        show_logs_of_failures(request, lab)


@pytest.fixture(scope="module")
def cluster(lab_prefix, request):
    with Lab(lab_prefix + "-cluster") as lab:
        cluster = Cluster(lab).start()
        cluster.converge()
        yield cluster
        show_logs_of_failures(request, lab)
        assert cluster.torii.stop() == 0, cluster.torii.log()
        assert "Sanitizer" not in cluster.torii.log()


def show_logs_of_failures(request, lab):
    if not request.session.testsfailed:
        return
    for name, process in lab.processes.items():
        if not process.log_file.exists():  # read and removed by the test
            continue
        text = process.log_file.read_text(errors="replace")
        print(f"----- {name} ({process.poll()})\n{text[-6000:]}")
