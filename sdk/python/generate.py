"""Writes src/leadgate/_operations.py and src/leadgate/models.py from sdk/openapi.json."""

from __future__ import annotations

import json
import keyword
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src/leadgate"
METHODS = ("get", "put", "post", "patch", "delete")
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
HEAD = '"""Generated from sdk/openapi.json by generate.py."""\n\n'


def type_of(schema: Any) -> str:
    """The type of a value that follows the schema, as it is written."""
    if isinstance(schema, bool):
        return "Any"
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
    if "oneOf" in schema:
        return union([type_of(one) for one in schema["oneOf"]])
    kinds = schema.get("type", "any")
    if isinstance(kinds, list):
        return union([type_of({**schema, "type": kind}) for kind in kinds])
    if kinds == "array":
        return f"List[{type_of(schema.get('items', {}))}]"
    if kinds == "object":
        return "Dict[str, Any]"
    return SIMPLE.get(kinds, "Any")


def union(kinds: list[str]) -> str:
    others = [kind for kind in kinds if kind != "None"]
    inner = others[0] if len(others) == 1 else f"Union[{', '.join(others)}]"
    return f"Optional[{inner}]" if "None" in kinds else inner


def members(schema: dict[str, Any], schemas: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Properties and the names of those that are required, with those of `allOf`."""
    properties, required = dict(schema.get("properties", {})), set(schema.get("required", []))
    for part in schema.get("allOf", []):
        part = schemas[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
        more, needed = members(part, schemas)
        properties.update(more)
        required |= needed
    return properties, required


def document_string(schema: dict[str, Any]) -> str:
    text = str(schema.get("description", "")).replace("\\", "\\\\").replace('"""', "'''")
    return f'    """{text}"""\n\n' if text else ""


def model(name: str, schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    properties, required = members(schema, schemas)
    if not properties:
        quoted = re.sub(r"\b([A-Z]\w+)\b(?!\[)", lambda word: f'"{word[1]}"' if word[1] in schemas else word[1], type_of(schema))
        return f"{name} = {quoted}\n"
    lines = {key: f"    {key}: {type_of(value)}\n" for key, value in sorted(properties.items())}
    words = {key: type_of(properties[key]) for key in lines if keyword.iskeyword(key)}
    if words:
        rest = {"properties": {key: value for key, value in properties.items() if key not in words}, "required": list(required)}
        text = model(f"_{name}Rest", {**rest, "description": ""}, schemas)
        named = ", ".join(f'"{key}": "{kind}"' for key, kind in words.items())
        text += f'\n\n_{name}Words = TypedDict("_{name}Words", {{{named}}}, total=False)\n'
        return f"{text}\n\nclass {name}(_{name}Rest, _{name}Words):\n{document_string(schema).rstrip()}\n"
    always = "".join(line for key, line in lines.items() if key in required)
    perhaps = "".join(line for key, line in lines.items() if key not in required)
    if always and perhaps:
        return f"class _{name}(TypedDict):\n{always}\n\nclass {name}(_{name}, total=False):\n{document_string(schema)}{perhaps}"
    total = "" if always else ", total=False"
    return f"class {name}(TypedDict{total}):\n{document_string(schema)}{always}{perhaps}"


def main() -> None:
    document = json.loads((HERE.parent / "openapi.json").read_text())
    schemas = document["components"]["schemas"]
    imports = "from __future__ import annotations\n\nfrom typing import Any, Dict, List, Literal, Optional, TypedDict, Union\n\n\n"
    texts = [model(name, schema, schemas) for name, schema in sorted(schemas.items())]
    (PACKAGE / "models.py").write_text(HEAD + imports + "\n\n".join(texts))
    operations = sorted(
        (operation["operationId"], method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    )
    lines = "".join(f'    "{name}": ("{method}", "{path}"),\n' for name, method, path in operations)
    table = f"from typing import Dict, Tuple\n\nOPERATIONS: Dict[str, Tuple[str, str]] = {{\n{lines}}}\n"
    (PACKAGE / "_operations.py").write_text(HEAD + table)


if __name__ == "__main__":
    main()
