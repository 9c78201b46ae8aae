"""The catalogue of rules: each id with its severity, its words, its hint and the reason for it, here and nowhere else.

`validate`, the editing commands, `run` and `export` report problems by these ids; `mom atlas config rule` prints an
entry. Ids stay: people filter by them, and name them in `# mom: ignore[…]`. All of it is one table, grouped by stage.
"""

from __future__ import annotations

from typing import NamedTuple

from mom.problems import Place, Problem, Severity
from mom.yamledit.source import Source

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


class Rule(NamedTuple):
    """One rule. words: what it demands. hint: the fix where a problem has no closer one. explanation: the reason."""

    id: str
    severity: Severity
    words: str
    hint: str
    explanation: str


_READING = (
    Rule(
        "file",
        ERROR,
        "A file can be read, and is UTF-8.",
        "check its name, its permissions and its encoding",
        "mom edits bytes in place; in another encoding, or in a file that it cannot read, it could not keep them.",
    ),
    Rule(
        "line-end",
        ERROR,
        "Lines end in LF or CRLF.",
        "convert the file's line endings to LF",
        "YAML takes a bare carriage return for a line break, editors and git do not: line numbers would disagree.",
    ),
    Rule(
        "yaml-syntax",
        ERROR,
        "A document is valid YAML.",
        "check the quotes, brackets and indentation of this line and the one above",
        "Atlas cannot use a document that no parser can read; the place is where the slip is, if mom can tell.",
    ),
    Rule(
        "yaml-alias",
        ERROR,
        "An alias names an anchor defined before it, and expands to a bounded amount of data.",
        "write out the value that is meant",
        "Aliases of aliases can expand to more data than any machine has (the `billion laughs` attack).",
    ),
    Rule(
        "conflict-marker",
        ERROR,
        "A merge is finished: no git conflict markers are left.",
        "resolve the conflict between `<<<<<<<` and `>>>>>>>`, and remove these lines",
        "Which of the two sides is meant is not decided yet.",
    ),
    Rule(
        "template",
        ERROR,
        "A file is rendered: no template braces (Helm, Jinja) are left.",
        "run mom on the rendered file; an environment reference is written ${{ NAME }}",
        "A template is not a configuration until its values are filled in, and often not YAML either.",
    ),
    Rule(
        "missing-separator",
        ERROR,
        "Documents are separated by `---`.",
        "write `---` on a line of its own above this line",
        "Without it, two documents are one mapping with duplicate keys, and most parsers keep only the second.",
    ),
    Rule(
        "duplicate-key",
        ERROR,
        "A mapping has each key once (YAML 1.2.2, section 3.2.1.1).",
        "remove one: parsers disagree about which one wins",
        "Most parsers keep the last value without a word, some the first: reviewers and Atlas may see different files.",
    ),
    Rule(
        "tagged-key",
        ERROR,
        "A key is text: no tag makes it something else.",
        "remove the tag",
        "Under the tag of a null, `kind` is no longer that key for a parser that resolves tags.",
    ),
)

_SHAPE = (
    Rule(
        "missing-kind",
        ERROR,
        "A document of moment.dev names its kind.",
        "add `kind:`",
        "The kind decides which keys a document has and where it is served.",
    ),
    Rule(
        "unknown-kind",
        ERROR,
        "The apiVersion and kind of a document of moment.dev are known.",
        "see the kinds that mom knows: mom atlas config schema --help",
        "Atlas would not serve a document of a kind it does not know.",
    ),
    Rule(
        "unknown-key",
        ERROR,
        "A key is known where it appears.",
        "see the keys of each kind: mom atlas config schema KIND",
        "Atlas would ignore the key, so a misspelt setting would silently not apply.",
    ),
    Rule(
        "missing-key",
        ERROR,
        "A required key is present.",
        "see the keys of each kind: mom atlas config schema KIND",
        "Without it Atlas cannot tell what is meant.",
    ),
    Rule(
        "unknown-value",
        ERROR,
        "A value that is chosen from a list is one of the list.",
        "see the allowed values: mom atlas config schema KIND",
        "Atlas knows only the listed values.",
    ),
    Rule(
        "wrong-type",
        ERROR,
        "A value has the type that its key expects.",
        "see the type of each key: mom atlas config schema KIND",
        "YAML reads `yes`, `1.10` or a missing value as another type than the text they look like.",
    ),
    Rule(
        "wrong-value",
        ERROR,
        "A value has the form and the range that its key expects.",
        "see the form of each value: mom atlas config schema KIND",
        "Atlas could not apply the value.",
    ),
)

_VALUES = (
    Rule(
        "adapter-name",
        ERROR,
        "An adapter's name can be a segment of a URL's path.",
        "use 1 to 253 letters (A-Z, a-z), digits, `.`, `_` or `-`",
        "An adapter is served at /v1/apis/http/NAME/: other characters would need percent-encoding in every client.",
    ),
    Rule(
        "base-url",
        ERROR,
        "A base URL is an absolute http or https URL without user name, query or fragment.",
        "write one such as https://api.example.com",
        "Callers' paths and queries are appended to it; credentials belong in headers, where they are references.",
    ),
    Rule(
        "plain-http",
        WARNING,
        "A base URL uses https, so that credentials cannot be read on the way.",
        "write https://",
        "Atlas adds credentials to each request; over plain http every network on the way can read and change them.",
    ),
    Rule(
        "public-key",
        ERROR,
        "Keys of an identity provider come over https, from this machine or from a file, and can verify tokens.",
        "write the https URL of the issuer's JWKS, or the path of a file that has them",
        "Anyone who can change these keys can sign access tokens for any user.",
    ),
    Rule(
        "cors-origin",
        ERROR,
        "A web page that may call has an https origin, or one of this machine.",
        "write the origin of the page, such as https://canvas.example.com",
        "Such a page calls with a token it has. `*` and `null` mean any site; plain http can be changed on its way.",
    ),
    Rule(
        "placeholder-provider",
        ERROR,
        "An identity provider is a real one, not the placeholder that `mom atlas config init` writes.",
        "set its issuer, audience and publicKey, or remove it to trust your own key only",
        "A name under .invalid resolves nowhere (RFC 2606): no key could be fetched, no token accepted.",
    ),
    Rule(
        "header-name",
        ERROR,
        "A header's name is a token (RFC 9110) that an adapter may set.",
        "write a name such as X-Api-Key",
        "Headers such as Host or Content-Length frame the message: set from outside they break or smuggle requests.",
    ),
    Rule(
        "header-value",
        ERROR,
        "A header's value is one line of text.",
        "write the value on one line",
        "A line break in a value would begin another header (header injection).",
    ),
    Rule(
        "non-ascii-header",
        WARNING,
        "A header's value is ASCII, which every server reads alike.",
        "write it in ASCII, or encoded as the API expects it",
        "RFC 9110 leaves the encoding of other characters open; some servers read Latin-1, others UTF-8.",
    ),
    Rule(
        "repeated-header",
        ERROR,
        "An adapter sets each header once, whatever the case of its name.",
        "remove one of them",
        "Header names have no case, and which of two values an API would use is not defined.",
    ),
    Rule(
        "several-credentials",
        ERROR,
        "An adapter sets the header `Authorization` in one way: by `headers`, `basicAuth` or `oauth2`.",
        "remove one of them",
        "Each of them would replace the other, and which one an API gets is not defined.",
    ),
    Rule(
        "credential-value",
        ERROR,
        "A credential is one line of text, a user name has no colon, and a client secret is one reference.",
        "write it on one line",
        "A line break begins another header, a colon ends the user name; a client secret is read from one variable.",
    ),
    Rule(
        "token-url",
        ERROR,
        "A token URL is https, or http to this machine, without user name and fragment (RFC 6749, section 3.2).",
        "write https://HOST/PATH",
        "The client secret is sent to it: over plain http anyone on the way could read it.",
    ),
    Rule(
        "repeated-parameter",
        ERROR,
        "An adapter sets each parameter of the query once.",
        "remove one of them",
        "Which of two values an API would use is not defined.",
    ),
    Rule(
        "tls-files",
        ERROR,
        "`tls` names PEM files of an https API: authorities, or a certificate chain with its key.",
        "give both certFile and keyFile, or caFile alone",
        "With a part of them Atlas could not connect, or would connect in another way than is meant.",
    ),
    Rule(
        "proxy",
        ERROR,
        "The proxy of an adapter is `none`, or http://HOST:PORT without user name.",
        "write none or http://HOST:PORT",
        "Envoy asks a proxy by HTTP/1.1, over TLS by CONNECT, and cannot authenticate to it.",
    ),
    Rule(
        "http2-over-tls",
        ERROR,
        "`http2: prior-knowledge` is for a plain http API.",
        "remove it: over https, HTTP/2 is negotiated",
        "Over TLS the client and the server agree on the version of HTTP (ALPN, RFC 7301).",
    ),
    Rule(
        "quoted-value",
        WARNING,
        "A header's value does not contain the quotes that were meant for a shell or for YAML.",
        "remove the inner quotes",
        "The quotes would be sent to the API as a part of the credential, which it then rejects.",
    ),
    Rule(
        "environment-reference",
        ERROR,
        "An environment reference is written ${{ NAME }}.",
        "write ${{ NAME }}, NAME made of letters, digits and `_`",
        "Atlas replaces references by variables of its environment, and could not replace this one.",
    ),
    Rule(
        "reference-without-dollar",
        WARNING,
        "An environment reference begins with a dollar sign.",
        "write ${{ NAME }}",
        "Without it the braces are text, and are sent to the API as they are.",
    ),
    Rule(
        "foreign-reference",
        WARNING,
        "An environment reference is written ${{ NAME }}, not in another tool's syntax.",
        "write ${{ NAME }}",
        "Atlas expands nothing else: `$TOKEN` or `<your key>` is sent to the API as it is.",
    ),
    Rule(
        "basic-credentials",
        WARNING,
        "`Basic` is followed by the base64 of `user:password` (RFC 7617).",
        "store $(printf %s 'user:password' | base64) in one variable, and write Basic ${{ THAT_VARIABLE }}",
        "Atlas does not encode header values; an API rejects credentials that are not base64.",
    ),
    Rule(
        "stray-mark",
        WARNING,
        "A value has no quote, comma or comment sign left by a slip.",
        "remove it, or put the value in quotes if it is meant",
        "YAML takes such marks for a part of the value without a word.",
    ),
    Rule(
        "endpoint-as-base-url",
        NOTE,
        "A base URL is where the API's paths begin, not one of its endpoints.",
        "end the base URL before the endpoint",
        "Callers' paths are appended: /v1/chat/completions would become /v1/chat/completions/v1/chat/completions.",
    ),
    Rule(
        "not-served",
        NOTE,
        "A setting that Atlas does not apply yet is reported as ignored.",
        "remove it, or keep it for a later version of mom",
        "The original's files stay valid here, and no one should rely on a setting that has no effect.",
    ),
    Rule(
        "literal-secret",
        WARNING,
        "A credential is an environment reference, never plain text.",
        "store it in the environment of Atlas and write ${{ NAME }}; treat a committed credential as leaked",
        "Everyone who can read the repository, now or later, can use the credential; git keeps it forever.",
    ),
    Rule(
        "duplicate-profile",
        ERROR,
        "A profile's name is unique in its adapter.",
        "rename one of them",
        "A profile is a segment of a URL's path; only one of two could be reached.",
    ),
    Rule(
        "profile-name",
        ERROR,
        "The name of an AWS profile can be a segment of a URL's path.",
        "use 1 to 253 letters (A-Z, a-z), digits, `.`, `_` or `-`",
        "A profile is reached at /v1/apis/aws/PROFILE/: other characters would need percent-encoding in every client.",
    ),
    Rule(
        "aws-service",
        ERROR,
        "A service of an AWS adapter is an endpoint prefix, and has an endpoint in the regions that are reached.",
        "write the beginning of the service's host name, such as `sqs`",
        "Atlas sends requests to the service's own endpoint, and signs them with the name that goes with it.",
    ),
    Rule(
        "aws-region",
        ERROR,
        "A region of an AWS adapter is one that AWS has, or could have by its name.",
        "write a region such as `eu-west-1`",
        "The region is part of the endpoint's name and of each signature.",
    ),
)

_ACCESS = (
    Rule(
        "empty-allow",
        ERROR,
        "A list `allow` has an entry.",
        "add an entry, or remove `allow` to let every request of an accepted caller pass",
        "A request passes if any entry matches; without entries no one could call the API.",
    ),
    Rule(
        "allow-path",
        WARNING,
        "A path of `allow` is one that a request below the adapter can have.",
        "write the path as it follows the adapter's own, such as /models or /files/**",
        "Paths are compared as the client sends them below the adapter; an entry that nothing matches opens nothing.",
    ),
    Rule(
        "claim-name",
        ERROR,
        "The name of a claim has segments separated by dots, each of them in double quotes where it has dots itself.",
        "put a name that has dots in double quotes inside the key",
        "Dots lead into nested claims: `realm_access.roles` is `roles` in `realm_access`.",
    ),
    Rule(
        "open-issuer",
        WARNING,
        "Of an issuer that serves many tenants, only the tokens of some are accepted.",
        "add `claims` that name your organisation",
        "There, anyone with an account can get a token for any audience: without `claims` all of them could call.",
    ),
)

_FILE = (
    Rule(
        "no-atlas",
        ERROR,
        "A file has an Atlas document.",
        "add an Atlas document",
        "The Atlas document names the adapters that are served and who may use them.",
    ),
    Rule(
        "several-atlas",
        ERROR,
        "A file has one Atlas document.",
        "move it, with its adapters, to a file of its own",
        "A file configures one Atlas; which of two an adapter belongs to could not be told.",
    ),
    Rule(
        "duplicate-name",
        ERROR,
        "The name of an adapter is unique among those of its kind.",
        "rename one of them, or remove it",
        "Of two routes with one path Envoy would serve the first and never mention the second.",
    ),
    Rule(
        "shared-path",
        ERROR,
        "An Atlas has one AWS adapter and one Kubernetes adapter at most.",
        "put the profiles of both into one adapter, or remove one",
        "Their paths have no adapter's name in them, so callers could reach only one of two.",
    ),
    Rule(
        "similar-name",
        WARNING,
        "Names of adapters differ in more than case.",
        "rename one of them",
        "Paths are case-sensitive: a caller who mistypes the case reaches the other API, with its credential.",
    ),
    Rule(
        "duplicate-reference",
        ERROR,
        "An adapter is listed once in apiAdapters.",
        "remove one of them",
        "A reviewer who removes one of two references would believe the adapter is no longer served.",
    ),
    Rule(
        "missing-document",
        ERROR,
        "Each adapterRef names an adapter document of the file.",
        "add its document, or remove this reference",
        "Atlas would have no base URL for it.",
    ),
    Rule(
        "unreferenced-document",
        WARNING,
        "Each adapter document is named by an adapterRef.",
        "list it in the Atlas document's `apiAdapters` (mom atlas config validate --fix), or remove it",
        "Only adapters that the Atlas document lists are served.",
    ),
)

_EDIT = (
    Rule(
        "unsafe-edit",
        ERROR,
        "An edit changes only what it is about.",
        "make this change by hand",
        "mom proves each edit by reading the result back, and writes nothing that it cannot prove.",
    ),
    Rule(
        "other-content",
        ERROR,
        "An adapter of that name has the content that was asked for.",
        "edit its document, or choose another name",
        "Adding never overwrites: the existing adapter may be in use with other settings.",
    ),
)

_RUN = (
    Rule(
        "kubernetes-cluster",
        ERROR,
        "A Kubernetes adapter has a cluster: that of Atlas's pod, or the current context of $KUBECONFIG.",
        "set KUBECONFIG to a file whose current context has a token or a client certificate",
        "Atlas uses its own login at the API server, in the place of the caller's.",
    ),
    Rule(
        "no-identity-provider",
        ERROR,
        "An Atlas trusts an identity provider, or this user's key.",
        "add an identity provider to the Atlas document, or run without --no-local-key",
        "Each request needs an access token, and without a trusted key every request would be rejected.",
    ),
    Rule(
        "unset-variable",
        ERROR,
        "Each variable that the configuration names is set.",
        "export the variable, or put it in a file: --env-file .env",
        "Envoy sends an unset variable as `-`, which an API would take for a credential.",
    ),
    Rule(
        "empty-variable",
        ERROR,
        "Each variable that the configuration names has a value.",
        "export the variable with its value, or put it in a file: --env-file .env",
        "Envoy skips a header with an empty value, so that the client's own header would go through.",
    ),
    Rule(
        "hidden-variable",
        ERROR,
        "An empty variable of the environment does not hide the one in the env file.",
        "unset the variable in the environment",
        "The environment takes precedence over --env-file, as with docker and dotenv tools.",
    ),
    Rule(
        "unsendable-variable",
        ERROR,
        "A variable's value can be sent in a header: no line ending or other control character.",
        "remove the line ending: NAME=$(cat FILE) drops it, and printf %s writes none",
        "A header is one line (RFC 9110, section 5.5); Envoy would reject every request that needs the value.",
    ),
    Rule(
        "doubtful-variable",
        WARNING,
        "A variable's value has the form that its header needs.",
        "check how the value was copied",
        "Quotes, blanks or a second `Bearer` around a credential are sent as they are, and the API rejects it.",
    ),
    Rule(
        "env-file",
        ERROR,
        "Each line of an env file is NAME=value.",
        "write NAME=value; put a value with quotes or line endings in '…'",
        "A line that is skipped would come back as a missing variable, far from the slip.",
    ),
)

_EXPORTING = (
    Rule(
        "needs-mom",
        ERROR,
        "An exported Envoy does what the configuration says without mom beside it.",
        "run mom atlas run there instead",
        "Nothing is exported weaker than it runs here: what Envoy alone cannot do is refused.",
    ),
    Rule(
        "export-path",
        ERROR,
        "A file that the configuration names is exported with it, from its own folder.",
        "move it beside the configuration, and name it relative to that",
        "On another machine the same path would lead to another file, or to none.",
    ),
)

_CHECKING = (
    Rule(
        "smoke-test",
        ERROR,
        "The smoke request of an adapter succeeds (mom atlas check).",
        "see which stage failed: mom atlas check",
        "A request through the gateway shows what no file can: that the credential is valid and the API is reached.",
    ),
)

_REVIEW = (
    Rule(
        "changed-access",
        NOTE,
        "A change of what callers can reach is seen by a reviewer (mom atlas config diff).",
        "approve it only if it is meant",
        "A line diff shows what was written, not which API it opens to whom and with which credential.",
    ),
    Rule(
        "credential-warning",
        WARNING,
        "A change sends each credential only where it went before, encrypted, and writes none in plain text.",
        "make sure that the new host belongs to the owner of the credential",
        "Whoever owns the new host gets the credential with the first request.",
    ),
)

_COMMENTS = (
    Rule(
        "unused-ignore",
        WARNING,
        "A comment `# mom: ignore[rule]` silences a problem on its line or the next.",
        "remove the comment, or the id from its brackets",
        "A comment that silences nothing would silence a problem that comes later, and that no one has looked at.",
    ),
    Rule(
        "unknown-rule",
        WARNING,
        "A comment `# mom: ignore[rule]` names rules that exist.",
        "see the ids: mom atlas config rule",
        "A misspelt id silences nothing.",
    ),
    Rule(
        "ignored-error",
        WARNING,
        "A comment `# mom: ignore[rule]` is about a warning or a note, not an error.",
        "fix the error, and remove the comment",
        "Atlas cannot serve a file with an error, whatever a comment says.",
    ),
)

# By stage: each group's name with its rules, in the order in which `mom atlas config rule` lists them.
GROUPS = {
    "Reading": _READING,
    "Shape of a document": _SHAPE,
    "Values": _VALUES,
    "Access": _ACCESS,
    "A file as a whole": _FILE,
    "Editing": _EDIT,
    "Running": _RUN,
    "Exporting": _EXPORTING,
    "Checking": _CHECKING,
    "Reviewing": _REVIEW,
    "Comments": _COMMENTS,
}
RULES: dict[str, Rule] = {rule.id: rule for group in GROUPS.values() for rule in group}


def problem_at(
    source: Source,
    start: int,
    rule: str,
    message: str,
    *,
    end: int | None = None,
    hint: str | None = None,
    path: str = "",
    related: tuple[tuple[Place, str], ...] = (),
) -> Problem:
    """Return a problem in the text of `source` from `start` to `end`; severity, and hint where none is given, by rule.

    Raises KeyError for a rule that the catalogue does not have.
    """
    known = RULES[rule]
    return source.problem(
        start, rule, message, end=end, hint=hint or known.hint, path=path, severity=known.severity, related=related
    )


def problem_of(
    place: Place,
    rule: str,
    message: str,
    *,
    hint: str | None = None,
    related: tuple[tuple[Place, str], ...] = (),
) -> Problem:
    """Return a problem at a place whose text is not at hand; else as `problem_at`."""
    known = RULES[rule]
    return Problem(
        place=place, rule=rule, message=message, severity=known.severity, hint=hint or known.hint, related=related
    )
