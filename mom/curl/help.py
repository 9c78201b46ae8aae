"""The text of `mom curl --help`."""

from __future__ import annotations

HELP = """\
Usage: mom curl [curl arguments] PATH

Run curl with requests signed for an Atlas gateway. PATH is the path
of an API at the gateway. Every argument but those below is curl's own.

Options:
  --base-url URL         The gateway. Default: $MOM_BASE_URL, else
                         http://127.0.0.1:8082, where mom atlas run listens.
  --mom-print            Print the equivalent curl command, without a secret,
                         for sh, bash, zsh and fish.
  --mom-no-auth          Send no token.
  --mom-token-file FILE  Send the token in FILE. Default: $MOM_TOKEN, else a new
                         one, signed by your own key (see mom auth status).
  --mom-insecure-http    Allow plain http to another host: the token can be read
                         on the way.
  --help                 Show this help. curl's own: mom curl --help all

Examples:
  mom curl /v1/apis/http/openai/v1/models
  mom curl -sS --fail-with-body '/v1/apis/http/github/user/repos?per_page=5'
  mom curl -N --json @request.json /v1/apis/http/openai/v1/responses
  mom curl --base-url https://atlas.example /v1/apis/http/stripe/v1/charges
  mom curl --mom-print -d @body.json /v1/apis/http/linear/

The token is valid for 60 s, up to 10 min for several requests. ps does not show
it. Redirects, .curlrc and proxy variables cannot take it to another host; -x
and --connect-to on this command line can. Paths in a -K file are not
completed: write whole URLs there.
Exit status: curl's own; 125 if mom failed before curl ran; 127 without curl.
"""
