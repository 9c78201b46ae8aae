"""Files with many documents of a few forms, whose values are those that some rule, or some part of Envoy, looks at."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

VERSION = "apiVersion: moment.dev/adapters/v1alpha1\nkind: HTTP\n"
START = f"{VERSION}metadata:\n  name: NAME\nspec:\n  baseUrl: https://HOST\n"
HEADERS = "  headers:\n  - name: Authorization\n    value: Bearer ${{ VARIABLE }}\n"
PLAIN = f"{START}{HEADERS}"
QUERY = "  query:\n  - name: key\n    value: ${{ VARIABLE }}\n  - name: other\n    value: ${{ VARIABLE }}\n"
BASIC = "  basicAuth:\n    username: ${{ VARIABLE }}\n    password: ${{ VARIABLE }}\n"
MORE = (
    "  allow:\n  - methods: [GET]\n    paths: [/v1/apis/http/adapter-one/x, /y/**]\n",
    "  allow:\n  - paths: [/a-b, /x/*/y]\n    claims:\n      name: mom-stand-in-0000\n      groups: [a, 1, true]\n",
    "  allow:\n  - claims: &c\n      name: NAME\n  - claims: *c\n",
    "  limits: {requestsPerMinute: 5}\n",
    "  limits: {requestsPerMinute: 7, per: adapter}\n  proxy: none\n",
    "  timeout: 30s\n  retries: 2\n",
    "  proxy: http://127.0.0.1:3128\n",
    "  smoke: {path: /x?y=z, expect: 204}\n",
    "  tls: {caFile: ca.pem}\n",
    "  tls:\n    caFile: ${{ VARIABLE }}\n",
    "  http2: prior-knowledge\n",
    "  unknown: x\n",
)
MORE_HEADERS = (
    "  - name: X-Name\n    value: mom-stand-in-0000\n",
    "  - name: X-Host\n    value: mom-stand-in-0001.example and ${{ VARIABLE }}\n",
    "  - value: ${{ VARIABLE }}\n    name: NAME\n",
    "  - name: X-Key\n    value: ${{ VARIABLE }}\n",
    "  - name: X-Two\n    value: ${{ API_KEY }}:${{ VARIABLE }}\n",
    "  - name: X-Two\n    value: ${{ VARIABLE }}%${{ MOM_STAND_IN_0002 }}% ${{ VARIABLE }}\n",
    "  - name: X-Four\n    value: &v a${{ VARIABLE }}\n  - name: X-Five\n    value: *v\n",
    "  - name: Cookie\n    value: >-\n      a=\n      ${{ VARIABLE }}\n      b\n",
    "  - name: X-Api-Key\n    value: plain # mom: ignore[literal-secret] a test\n",
    "  - name: Host\n    value: other.example.com\n",
    f"  - name: X-Long\n    value: a{'%' * 8_160}${{{{ VARIABLE }}}}\n",
)
# Each makes another document of one, and most of them one of the same meaning.
CHANGES = (
    lambda text: text,
    lambda text: text,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("  ", "    "),
    lambda text: text.replace("https://HOST", "https://HOST/v1/api"),
    lambda text: text.replace("https://HOST", f"https://HOST/{'x' * 1_900}"),
    lambda text: text.replace("https://HOST", "https://HOST/chat/completions"),
    lambda text: text.replace("https://HOST", "http://127.0.0.1:8080"),
    lambda text: text.replace("https://HOST", "http://localhost:8080/x"),
    lambda text: text.replace("https://HOST", "http://HOST"),
    lambda text: text.replace("https://HOST", "https://HOST # mom: ignore[plain-http]"),
    lambda text: f"# mom: ignore[unreferenced-document] a test\n{text}",
    lambda text: text.replace("metadata:\n", "metadata:\n  # mom: ignore[similar-name] a test\n"),
    lambda text: f"\ufeff{text}",
    lambda text: f"%YAML 1.2\n---\n{text}",
    lambda text: f"{text}...\n",
    lambda text: f"{text}# The end, NAME",
    lambda text: text.replace("Bearer ", "Basic "),
    lambda text: text.replace("Bearer ${{", "Bearer your ${{"),
    lambda text: text.replace("metadata:\n", "metadata: &m\n"),
    lambda text: f"{text}description: |\n  name: NAME\n",
    lambda text: text.replace("kind: HTTP", "kind: Postgres"),
    lambda text: f"{text}{text}",
    lambda text: text.replace("metadata:\n  name: NAME\n", "") + "metadata:\n  name: NAME",
    lambda text: f"description: {'x' * 9_000}\n{text}",
)
NAMES = (
    *("adapter-one", "adapter-one", "adapter-two", "a1b-2", "x-api-key", "mom-stand-in-0000", "mom-stand-in-0001"),
    *("sk-abcdefghijklmnop", "stand-in", "abc-null", "http-1", "Adapter-one", "one", "true", "null", "000-1", "a--b"),
    *("atlas-1", "healthz-2", "name-name", f"abc-{'x' * 249}", f"abc-{'x' * 250}", f"abc{'-1' * 700}"),
)
HOSTS = (
    *("api.example.com", "a.b", "localhost", "localhost.localdomain", "my.localhost", "metadata.google.internal"),
    *("xn--bcher-kva.example", "a-.example", "-a.example", "10.0.0.1", "a.0x7f", "api.invalid", "x_y.com", "a..b"),
    *("mom-stand-in-0001.example", "mom-stand-in-0002.example", "EXAMPLE.com", "api.example.com.", "a.b:8443"),
    *("api.openai.com", "sts.amazonaws.com", "e.ipv4", ".".join(["a" * 42] * 5), ".".join(["b" * 63] * 4)),
)
VARIABLES = (
    *("API_KEY", "API_KEY", "ZZ_KEY", "AA_KEY", "A_1", "MOM_STAND_IN_0000", "MOM_STAND_IN_0002", "MOM_STAND_IN_0003"),
    *("OPENAI_API_KEY", "LD_PRELOAD", "LDX_PRELOAD", "DYLD_X", "SSL_CERT_FILE", "SSL_CERTS_X", "CARES_X", "PATH"),
    *("GLIBC_TUNABLES", "GCONV_PATH", "RES_OPTIONS", "BASH_ENV", "BASH_ENV_2", "HOSTALIASES", "HTTP_PROXY", "MY_PATH"),
    *("YOUR_API_KEY", "XXXX_KEY", "CHANGE_ME", "MY_TODO", "AKIAIOSFODNN7_EXAMPLE1234567", "a_b", "A__B", "1_A", ""),
    *(f"A_{'B' * 62}", f"A_{'B' * 63}", f"A_{'B' * 9_000}"),
)


def atlas(names: Sequence[str], *, after: str = "", indent: str = "  ") -> str:
    """Return an Atlas document that lists some names."""
    items = "".join(
        f"{indent}- adapterRef:\n{indent}    apiVersion: moment.dev/adapters/v1alpha1\n{indent}    kind: HTTP\n"
        f"{indent}    name: {name}\n"
        for name in names
    )
    return (
        "apiVersion: moment.dev/atlas/v1alpha1\nkind: Atlas\nmetadata:\n  name: atlas\nspec:\n  owner: example.com\n"
        f"  apiAdapters:\n{items}{after}"
        "  identityProviders:\n    auth0:\n      audience: https://api.example.com\n      issuer: https://a.example/\n"
        "      publicKey: https://a.example/jwks.json\n"
    )


def form(random: Random) -> str:
    """Return a document with `NAME`, `HOST` and `VARIABLE` where values are."""
    text = random.choice((START, PLAIN, PLAIN, PLAIN, f"{START}{QUERY}", f"{START}{BASIC}", f"{START}{BASIC}{QUERY}"))
    if text == PLAIN:
        text += "".join(random.sample(MORE_HEADERS, random.choice((0, 0, 1, 1, 2))))
    text += "".join(random.sample(MORE, random.choice((0, 0, 1, 1, 2))))
    return random.choice(CHANGES)(text)


def filled(form: str, random: Random, number: int, *, wild: float) -> str:
    """Return a document of a form: with common values, or, of so many in `wild`, such that some rule knows."""
    for word, values in (("NAME", NAMES), ("HOST", HOSTS), ("VARIABLE", VARIABLES)):
        for _ in range(form.count(word)):
            common = {"NAME": f"name-{number}", "HOST": f"h{number}.example.com", "VARIABLE": f"TOKEN_{number}"}[word]
            value = random.choice(values) if random.random() < wild else common
            form = form.replace(word, value, 1)
    return form


def file(documents: Sequence[str], random: Random) -> str:
    """Return a file with these documents, nearly all of which its Atlas lists."""
    lines = [line for document in documents for line in document.splitlines()]
    names = dict.fromkeys(
        line.split()[1] for line in lines if line.lstrip().startswith("name: ") and len(line.split()) == 2
    )
    more = random.choice([[]] * 8 + [[f"more-{number}" for number in range(40)], ["more"]])
    start = atlas([*list(names)[random.random() < 0.1 :], *more]).replace("https://a.example/jwks.json", "keys.json")
    if random.random() < 0.2:
        start = start.replace("  apiAdapters", "  allow:\n  - claims: {group: mom-stand-in-0000}\n  apiAdapters")
    ended = (document if document.endswith("\n") else f"{document}\n" for document in documents)
    return "---\n".join([start, *ended])
