"""curl with signed requests.

`arguments` reads the command line as curl does, `urls` completes paths, `command` adds the token, `execute` runs curl
in the place of mom.

What is added, to each group of options (the stretches between `--next`) that has URLs or a `-K` file:

- the token, as `-K /dev/fd/N`: a pipe with `header = "Atlas-Accesstoken: …"` in it. Not `-H` with the token, which `ps`
  shows, nor a file, nor stdin, which is the user's. A pipe can be read once, so each group has its own; after the first
  they are `-H @/dev/fd/N`, since before curl 7.70 `-K` counts for the first group wherever it is.
- the pin: `--connect-to ::HOST:PORT --proto =SCHEME --proto-redir =SCHEME`, and `--no-location` unless the user asked
  for redirects. curl sends a header of mom's to wherever a redirect, a `url=` in a file, or a mistake of mom's points:
  it keeps only Authorization and Cookie from other hosts. Pinned, every connection goes to the gateway, whatever the
  URL says; with https it then fails on the certificate's name.
- `--noproxy '*'` for an http gateway, unless the user named a proxy: curl sends even loopback requests to the proxy of
  `http_proxy` or ~/.curlrc, which would read the token. With https a proxy sees only `CONNECT host:port`.

All of it is at the end of the group, before `--`: `-q` stays the first word, and mom's options win over files read
before it. `--connect-to` is the exception, since of several the first match wins: a second one comes before the user's
first `-K` in the group, and ~/.curlrc, which is read before everything, is read for it (`curlrc.check_curlrc`).

Who may send the token another way:

- What the user writes on this command line is what the user wants: `--proxy` and its kin (with an http gateway that
  proxy reads the token), `--connect-to`, `--resolve`, `--unix-socket`, `--dns-servers`, `--doh-url`, `--insecure`;
  `-v`, `--trace` and `--libcurl` show or store the token. It serves one gateway, and lives a minute, or as long as a
  command of several requests needs, ten minutes at most (`lifetime`).
- What comes from elsewhere (redirects, ~/.curlrc, `-K` files and what they include, proxy variables) never takes it to
  another host: `curlrc` reads these files as curl does and refuses such a line with its place. One that starts a group
  with `next` is refused too, since the requests before it would have no token.
- A group in which the user gives an Atlas-Accesstoken header, on the command line or in a `-K` file, gets no token of
  mom's, and is pinned all the same. A header in a file of headers (`-H @file`) is not seen: both go out then, and a
  gateway refuses two that differ.
- A group to which the user forbids the gateway's scheme by `--proto` has no token, and no `--proto` of mom's: of
  several the last one counts, and what curl refuses by itself stays refused.
- `--mom-no-auth` sends no token, so that nothing is pinned or refused: curl, with paths completed.
- Where it is not known how curl reads a command line, curl runs without a token and without additions, and reports
  itself what is wrong with it.
- MOM_TOKEN is taken out of curl's environment.

curl 7.61 and later have all the options that are added.
"""
