"""Calls that a user can paste: the smoke request by `mom curl`, curl, Python, JavaScript, and the vendor's libraries.

Each asks `mom auth token` for the caller's token, so that none is written into a program.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from mom.catalog.integration import Header, Integration, Sdk
from mom.gateway import HTTP_PREFIX, TOKEN_HEADER

_ASK_IN_PYTHON = 'subprocess.check_output(["mom", "auth", "token"], text=True).strip()'
_ASK_IN_JAVASCRIPT = 'execFileSync("mom", ["auth", "token"]).toString().trim()'
# A line longer than this is broken before an option.
_WIDEST = 78


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the API through a gateway. path: from the gateway's root (`/v1/apis/http/openai/v1/models`)."""

    gateway: str
    adapter_name: str
    method: str
    path: str
    headers: tuple[Header, ...] = ()
    body: str | None = None

    @property
    def url(self) -> str:
        """The whole URL."""
        return self.gateway + self.path


def smoke_call(entry: Integration, *, gateway: str, adapter_name: str | None = None) -> Call:
    """Return the smoke request of an entry whose adapter has its base URL."""
    name = entry.name if adapter_name is None else adapter_name
    smoke = entry.smoke
    return Call(gateway, name, smoke.method, f"{HTTP_PREFIX}{name}{smoke.path}", smoke.headers, smoke.body)


def command_line(words: Sequence[str], *, head: int = 1) -> str:
    """Return `words` quoted for a shell; a long line is broken before its options, but not within the first `head`."""
    whole = shlex.join(words)
    if len(whole) <= _WIDEST:
        return whole
    lines = [list(words[:head])]
    for word in words[head:]:
        if word.startswith("-"):
            lines.append([])
        lines[-1].append(word)
    return " \\\n    ".join(shlex.join(line) for line in lines)


def mom_curl(call: Call) -> str:
    """Return the `mom curl` command."""
    return command_line(["mom", "curl", call.path, *_curl_options(call)])


def curl(call: Call) -> str:
    """Return the same with curl alone. The token is not an argument, which other users could see in `ps`."""
    first = f'printf \'header = "{TOKEN_HEADER}: %s"\' "$(mom auth token)" |'
    return f"{first}\n  {command_line(['curl', '-K', '-', call.url, *_curl_options(call)], head=4)}"


def python(call: Call) -> str:
    """Return a program that needs Python alone. A redirect to another host does not get the token."""
    arguments = [json.dumps(call.url)]
    if call.headers:
        shown = ", ".join(f'"{header.name}": {json.dumps(header.value)}' for header in call.headers)
        arguments.append(f"headers={{{shown}}}")
    if call.body is not None:
        arguments.append(f"data={_python_bytes(call.body)}")
    if call.method != ("GET" if call.body is None else "POST"):
        arguments.append(f'method="{call.method}"')
    return "\n".join(
        [
            "import subprocess",
            "from urllib.request import Request, urlopen",
            "",
            f"token = {_ASK_IN_PYTHON}",
            *_python_call("request = Request", arguments),
            f'request.add_unredirected_header("{TOKEN_HEADER}", token)',
            "print(urlopen(request).read().decode())",
        ]
    )


def javascript(call: Call) -> str:
    """Return a cell of a canvas, in which `atlasProxyFetch` sends the token."""
    rest = call.path.removeprefix(f"{HTTP_PREFIX}{call.adapter_name}")
    options: list[str] = []
    if call.method != "GET":
        options.append(f'  method: "{call.method}",')
    if call.headers:
        shown = ", ".join(f"{json.dumps(header.name)}: {json.dumps(header.value)}" for header in call.headers)
        options.append(f"  headers: {{ {shown} }},")
    if call.body is not None:
        options.append(f"  body: {_javascript_text(call.body)},")
    target = f"`{HTTP_PREFIX}${{httpAdapterName}}{rest}`"
    fetched = f"atlasProxyFetch({target}, {{" if options else f"atlasProxyFetch({target});"
    return "\n".join(
        [
            f'const httpAdapterName = "{call.adapter_name}";',
            f"const response = await {fetched}",
            *([*options, "});"] if options else []),
            "return await response.json();",
        ]
    )


def base_url(library: Sdk, call: Call) -> str:
    """Return the base URL that a client library is given."""
    return f"{call.gateway}{HTTP_PREFIX}{call.adapter_name}{library.suffix}"


def sdk(library: Sdk, call: Call) -> str | None:
    """Return a program that uses a vendor's library through the gateway, None where the catalog has no example."""
    if library.example is None:
        return None
    url = json.dumps(base_url(library, call))
    if library.language == "python":
        first = ["import subprocess"]
        constants = [f"BASE_URL = {url}", f"TOKEN = {_ASK_IN_PYTHON}"]
    else:
        first = ['import { execFileSync } from "node:child_process";']
        constants = [f"const BASE_URL = {url};", f"const TOKEN = {_ASK_IN_JAVASCRIPT};"]
    imports, _, rest = library.example.rstrip("\n").partition("\n\n")
    # A library is imported after the standard ones, with an empty line between them in Python.
    between = [""] if library.language == "python" else []
    return "\n".join([*first, *between, imports, "", *constants, rest])


def _curl_options(call: Call) -> list[str]:
    words: list[str] = []
    if call.method != ("GET" if call.body is None else "POST"):
        words += ["-X", call.method]
    for header in call.headers:
        words += ["-H", f"{header.name}: {header.value}"]
    return [*words, "-d", call.body] if call.body is not None else words


def _python_call(function: str, arguments: Sequence[str]) -> list[str]:
    call = f"{function}({', '.join(arguments)})"
    return [call] if len(call) <= _WIDEST else [f"{function}(", *(f"    {argument}," for argument in arguments), ")"]


def _python_bytes(text: str) -> str:
    return f"b{text!r}" if text.isascii() else f"{text!r}.encode()"


def _javascript_text(text: str) -> str:
    return f"'{text}'" if "'" not in text and "\\" not in text else json.dumps(text)
