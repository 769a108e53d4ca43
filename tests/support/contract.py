"""The API's contract, read from its OpenAPI file: what to send, and whether an
answer is one that the file promises."""

import re

import jsonschema
import yaml

HUGE = "x" * 3000
#: What a parameter or a member of a body is not, whatever it is.
WRONG = {
    "integer": ["-1", "4294967296", "99999999999999999999", "1.5", "one", "", "0x10", " 1", "1\x00"],
    "boolean": ["maybe", "2", ""],
    "string": ["", HUGE, "%00", "../../etc/passwd", "\u202e\ud7ff", "';--", "a" * 255, "{}", "::::", "1.2.3.4/99"],
}
#: JSON values of every other type.
JSON_VALUES = [None, True, -1, 1.5, 10**30, "", HUGE, [], [[]], {}, {"a": {"b": 1}}, ["x"] * 1000]


class Contract:
    def __init__(self, text):
        self.document = yaml.safe_load(text)

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            node = target
        return node

    def operations(self):
        """(method, path template, operation) of everything in the file."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def parameters(self, operation, where):
        for parameter in map(self.resolve, operation.get("parameters", [])):
            if parameter["in"] == where:
                yield parameter["name"], self.resolve(parameter["schema"]), parameter.get("required", False)

    def body(self, operation, kind="application/json"):
        """The schema of the body; nothing where none is taken."""
        content = self.resolve(operation.get("requestBody", {})).get("content", {})
        return self.resolve(content[kind]["schema"]) if kind in content else None

    def complaint(self, method, template, status, kind, body):
        """Why an answer is none that the file promises; "" when it is one."""
        operation = self.document["paths"].get(template, {}).get(method.lower())
        answers = operation["responses"]
        promised = answers.get(str(status), answers.get(f"{status // 100}XX", answers.get("default")))
        if promised is None:
            return f"{status} is not promised"
        content = self.resolve(promised).get("content")
        if not content:
            return "" if not body else f"{status} has a body: {body[:200]!r}"
        kind = kind.split(";")[0].strip()
        if kind not in content:
            return f"{status} comes as {kind!r}, promised is {sorted(content)}"
        if kind.endswith("json"):
            return self.invalid(content[kind]["schema"], body)
        return "" if isinstance(body, str) else "no text"

    def invalid(self, schema, value):
        # References are looked up in the document: hand it along as definitions.
        whole = {**schema, "components": self.document["components"]}
        error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(whole).iter_errors(value))
        return "" if error is None else f"{error.json_path}: {error.message[:300]}"

    def undocumented(self, schema, value, path="$"):
        """Members that an answer has and its schema does not name."""
        schema = self.resolve(schema)
        if isinstance(value, dict) and "properties" in schema:
            for name, inner in value.items():
                if name in schema["properties"]:
                    yield from self.undocumented(schema["properties"][name], inner, f"{path}.{name}")
                elif "additionalProperties" not in schema:
                    yield f"{path}.{name}"
        elif isinstance(value, list) and "items" in schema:
            for inner in value[:50]:
                yield from self.undocumented(schema["items"], inner, f"{path}[]")

    def example(self, schema):
        """A value that the schema takes."""
        schema = self.resolve(schema)
        if "enum" in schema:
            return schema["enum"][0]
        if "oneOf" in schema:
            return self.example(schema["oneOf"][0])
        kind = schema.get("type")
        if kind == "object":
            return {name: self.example(inner) for name, inner in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.example(schema["items"])]
        return {"integer": max(1, schema.get("minimum", 1)), "boolean": True, "number": 1.0}.get(kind, "x")

    def hostile_bodies(self, schema):
        """Bodies that break the schema in one place each, as (what, value)."""
        for value in JSON_VALUES:
            yield f"all of it is {value!r:.30}", value
        if self.resolve(schema).get("type") != "object":
            return
        good = self.example(schema)
        for name in self.resolve(schema).get("properties", {}):
            for value in JSON_VALUES:
                yield f"{name} is {value!r:.30}", {**good, name: value}
            yield f"{name} is missing", {k: v for k, v in good.items() if k != name}
        yield "a member that nobody knows", {**good, "unknown_member": 1}


def wrong_values(schema):
    yield from WRONG.get(schema.get("type", "string"), WRONG["string"])
    if "enum" in schema:
        yield "none-of-them"
    for bound, step in (("minimum", -1), ("maximum", 1)):
        if bound in schema:
            yield str(schema[bound] + step)


def template_variables(template):
    return re.findall(r"{(\w+)}", template)
