"""The API keeps the contract of its OpenAPI file, with a gate that has neighbors,
routes and ports: every answer is one that the file promises, whatever is asked."""

import json
import random
import socket
import urllib.parse

import pytest
from contract import HUGE, Contract, template_variables, wrong_values
from lab import UnixConnection, wait_for

#: What stands in a path where the file says {name}, and exists here.
KNOWN = {
    "prefix": "203.0.113.0/24",
    "address": "10.0.0.11",
    "name": "nodes",
    "action": "soft-in",
    "protocol": "10.0.0.11",
    "net": "10.244.1.0/24",
    "revision": "1",
}


@pytest.fixture(scope="module")
def gate(cluster):
    return Gate(cluster.torii)


class Gate:
    """Every request on one connection, each answer held against the contract."""

    def __init__(self, torii):
        self.torii = torii
        self.connection = None
        status, _, text = self.send("GET", "/openapi.yaml")
        assert status == 200
        self.contract = Contract(text)
        self.sent = 0

    def send(self, method, target, body=None, headers=None):
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = UnixConnection(self.torii.socket)
            try:
                self.connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in (headers or {}).items():
                    self.connection.putheader(name, value)
                if body is not None:
                    self.connection.putheader("Content-Length", str(len(body)))
                self.connection.endheaders(body)
                answer = self.connection.getresponse()
                text = answer.read().decode(errors="replace")
                if answer.will_close:
                    self.connection = None
                return answer.status, answer.headers.get("Content-Type", ""), text
            except (ConnectionError, OSError):
                self.connection = None
                if attempt == 2:
                    raise

    def ask(self, method, template, values=None, query=None, body=None, headers=None):
        """One request; what is wrong with the answer ends the test."""
        target = template
        if template == "/api/v1/capture":  # which goes on for a minute otherwise
            query = {"seconds": 1, **(query or {})}
        for name in template_variables(template):
            target = target.replace("{%s}" % name, urllib.parse.quote((values or KNOWN)[name], safe="/"))
        if query:
            target += "?" + urllib.parse.urlencode(query)
        status, kind, text = self.send(method, target, body, headers)
        self.sent += 1
        said = json.loads(text) if "json" in kind and "ndjson" not in kind and text else text
        where = f"{method} {target[:200]} {str(body)[:200]} -> {status} {text[:300]}"
        assert status < 500 or (template == "/readyz" and status == 503), where
        complaint = self.contract.complaint(method, template, status, kind, said)
        assert not complaint, f"{complaint}\n{where}"
        if status >= 400 and template != "/readyz":
            assert kind == "application/problem+json", where
            assert said["status"] == status and said["title"], where
        return status, said


def bodies(contract, operation):
    schema = contract.body(operation)
    return list(contract.hostile_bodies(schema)) if schema else []


def test_every_answer_is_as_promised_and_fully_described(gate):
    gate.ask("PUT", "/api/v1/routes/static/{prefix}", body=b'{"kind": "discard"}')
    answered = set()
    for method, template, operation in gate.contract.operations():
        if method != "GET":
            continue
        required = {n: "10.244.1.2" for n, _, needed in gate.contract.parameters(operation, "query") if needed}
        values = dict(KNOWN)
        if "/ports/" in template:
            values["name"] = "uplink"
        status, said = gate.ask(method, template, values, query=required)
        assert status == 200, f"{method} {template}: {status} {said}"
        answered.add(template)
        promised = operation["responses"]["200"].get("content", {}).get("application/json")
        if promised and "/lg/" not in template:
            unknown = list(gate.contract.undocumented(promised["schema"], said))
            assert not unknown, f"{template} answers what the file does not name: {unknown[:10]}"
    assert len(answered) > 25
    for table in ("fib", "adj-in", "adj-out", "filtered"):
        status, page = gate.ask("GET", "/api/v1/routes", query={"table": table, "neighbor": "10.0.0.11"})
        assert status == 200, page


def test_wrong_parameters_are_refused_with_a_reason(gate):
    for method, template, operation in list(gate.contract.operations()):
        for name, schema, _ in gate.contract.parameters(operation, "query"):
            for value in wrong_values(schema):
                if method == "GET" or name in ("confirm_within", "revision"):
                    gate.ask(method, template, query={name: value}, body=None if method == "GET" else b"")
        for name, schema, _ in gate.contract.parameters(operation, "header"):
            for value in ("", "x", '"0"', "*" * 200, "\xff"):
                if method == "GET":
                    gate.ask(method, template, query={"dst": "10.0.0.1"}, headers={name: value})
        for variable in template_variables(template):
            for value in ("x", "..", "%", "0", "-1", "gggg::", "1.2.3.4/33", "a" * 3000, "\x01", "fe80::1@nowhere"):
                if value == "0" and method != "GET":
                    continue
                status, said = gate.ask(method, template, {**KNOWN, variable: value})
                assert status >= 400 or method == "GET", (method, template, value, said)


def test_hostile_bodies_never_break_anything(gate):
    gate.ask("DELETE", "/api/v1/routes/static/{prefix}")
    before = gate.ask("GET", "/api/v1/config", headers={"Accept": "application/json"})[1]["text"]
    for method, template, operation in list(gate.contract.operations()):
        if method == "GET":
            continue
        values = {**KNOWN, "address": "192.0.2.77", "name": "nobody"}
        for _, value in bodies(gate.contract, operation):
            gate.ask(method, template, values, body=json.dumps(value).encode(),
                     headers={"Content-Type": "application/json"})
        for raw in (b"{", b"[" * 5000, b'{"a":' * 500, b"\xff\xfe", b"\x00" * 100, b'"' + b"x" * 100000 + b'"'):
            for kind in ("application/json", "text/plain", "nonsense"):
                gate.ask(method, template, values, body=raw, headers={"Content-Type": kind})
        gate.ask("DELETE", "/api/v1/routes/static/{prefix}")
        gate.ask("DELETE", "/api/v1/drain")
    after = gate.ask("GET", "/api/v1/config", headers={"Accept": "application/json"})[1]["text"]
    assert after == before
    assert gate.sent > 1000


def test_random_requests_get_answers(gate):
    random.seed(7)
    templates = list(gate.contract.operations())
    words = ["prefix", "limit", "cursor", "match", "longer", "family", "table", "neighbor", "after", "source", "%"]
    for _ in range(500):
        method, template, _ = random.choice(templates)
        if method != "GET":
            continue
        values = {n: random.choice([*KNOWN.values(), HUGE[:100], "%2e%2e"]) for n in template_variables(template)}
        query = {random.choice(words): random.choice(["0", "-1", "lpm", "10.0.0.0/8", "true", "::/0", "zz"])
                 for _ in range(random.randrange(4))}
        gate.ask(method, template, values, query)


def test_what_is_no_http_is_answered_or_closed(gate):
    for raw in (b"GET / HTTP/9.9\r\n\r\n", b"G\x00T / HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
                b"POST /api/v1/config/commit HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"h%d: x\r\n" % i for i in range(5000)) + b"\r\n",
                b"POST /api/v1/drain HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(gate.torii.socket))
            try:
                client.sendall(raw)
                answer = client.recv(4096)
            except ConnectionError:
                answer = b""
            assert not answer or answer.split()[1].startswith(b"4"), (raw[:60], answer[:200])
    wait_for("a healthy client is answered", lambda: gate.send("GET", "/healthz")[0] == 200, 5)
