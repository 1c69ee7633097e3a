"""What JSON Schema of the documents uses, held against values: a schema that says more is refused, never passed over."""

import re

KNOWN = {"$schema", "title", "description", "type", "required", "properties", "additionalProperties", "items", "enum",
         "const", "pattern", "minimum", "maximum"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def complaints(value, schema: dict, path: str = "$") -> list[str]:
    """Everywhere that the value is not as the schema says."""
    unknown = set(schema) - KNOWN
    assert not unknown, f"{path}: the schema says {unknown}, which is not known here"
    if "const" in schema and value != schema["const"]:
        return [f"{path} is {value!r} and not {schema['const']!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is {value!r} and none of {schema['enum']}"]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or isinstance(value, bool) != (kind == "boolean")):
        return [f"{path} is {value!r} and no {kind}"]
    found = []
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{path} is {value!r}, which {schema['pattern']} does not match")
    if "minimum" in schema and value < schema["minimum"] or "maximum" in schema and value > schema["maximum"]:
        found.append(f"{path} is {value}, out of range")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{path} has no {name}" for name in schema.get("required", []) if name not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{path} has {name}, which the schema does not know" for name in value if name not in properties]
        for name, one in value.items():
            found += complaints(one, properties.get(name, {}), f"{path}.{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            found += complaints(one, schema.get("items", {}), f"{path}[{index}]")
    return found
