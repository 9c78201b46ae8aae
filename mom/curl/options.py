"""The options of curl and of mom curl, as tables: which take a value, the letter of each, what some of them do.

Those of curl are the union over curl 7.61 to 8.21 and the development version of August 2026. One union serves them
all: in that time no option but `--help` changed whether it takes a value. `curl --help all` is no replacement (it hides
the values of some options and some options altogether); it is asked only about a long option that the tables lack.
"""

from __future__ import annotations

WITH_VALUE = frozenset(
    """
    abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout connect-to
    continue-at cookie cookie-jar create-file-mode crlfile curves data data-ascii data-binary data-raw
    data-urlencode delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header ech egd-file
    engine etag-compare etag-save expect100-timeout form form-string ftp-account ftp-alternative-to-user ftp-method
    ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip header help hostpubmd5 hostpubsha256 hsts
    httpsig-algo httpsig-headers httpsig-key httpsig-keyid interface ip-tos ipfs-gateway json keepalive-cnt
    keepalive-time key key-type knownhosts krb krb4 libcurl limit-rate local-port login-options mail-auth mail-from
    mail-rcpt max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer output output-dir parallel-max
    parallel-max-host pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert proxy-capath
    proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass
    proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser
    proxy-user proxy1.0 pubkey quote random-file range rate referer request request-target resolve retry retry-delay
    retry-max-time sasl-authzid service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname
    speed-limit speed-time ssl-sessions stderr telnet-option tftp-blksize time-cond tls-max tls13-ciphers
    tlsauthtype tlspassword tlsuser trace trace-ascii trace-config unix-socket upload-file upload-flags url
    url-query user user-agent variable vlan-priority write-out
    """.split()  # noqa: SIM905 - quotes around each would hide the names
)
WITHOUT_VALUE = frozenset(
    """
    alpn anyauth append basic buffer ca-native cert-status clobber compressed compressed-ssh create-dirs crlf digest
    disable disable-eprt disable-epsv disallow-username-in-url doh-cert-status doh-insecure dump-ca-embed eprt epsv
    fail fail-early fail-with-body false-start follow form-escape ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip
    ftp-ssl ftp-ssl-ccc ftp-ssl-control ftp-ssl-reqd get globoff haproxy-protocol head http0.9 http1.0 http1.1 http2
    http2-prior-knowledge http3 http3-only ignore-content-length include insecure ipv4 ipv6 junk-session-cookies
    keepalive list-only location location-trusted mail-rcpt-allowfails manual metalink mptcp negotiate netrc
    netrc-optional next npn ntlm ntlm-wb out-null parallel parallel-immediate path-as-is post301 post302 post303
    progress-bar progress-meter proxy-anyauth proxy-basic proxy-ca-native proxy-digest proxy-http2 proxy-http3
    proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1
    proxytunnel raw remote-header-name remote-name remote-name-all remote-time remove-on-error retry-all-errors
    retry-connrefused sasl-ir sessionid show-error show-headers silent skip-existing socks5-basic socks5-gssapi
    socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2
    sslv3 styled-output suppress-connect-headers tcp-fastopen tcp-nodelay test-duphandle test-event tftp-no-options
    tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-ids trace-time use-ascii verbose version
    wdebug xattr
    """.split()  # noqa: SIM905 - quotes around each would hide the names
)
OPTIONS = WITH_VALUE | WITHOUT_VALUE
# Each letter with the long option it stands for.
LETTERS = {
    entry[0]: entry[1:]
    for entry in """
    aappend Nbuffer Ecert Kconfig Ccontinue-at bcookie ccookie-jar ddata qdisable Ddump-header ffail Fform Pftp-port
    Gget ggloboff Ihead Hheader hhelp 0http1.0 kinsecure 4ipv4 6ipv6 jjunk-session-cookies llist-only Llocation
    Mmanual mmax-time nnetrc :next ooutput Zparallel #progress-bar xproxy Uproxy-user pproxytunnel Qquote rrange
    ereferer Jremote-header-name Oremote-name Rremote-time Xrequest Sshow-error ishow-headers ssilent Yspeed-limit
    yspeed-time 2sslv2 3sslv3 ttelnet-option ztime-cond 1tlsv1 Tupload-file Buse-ascii uuser Auser-agent vverbose
    Vversion wwrite-out
    """.split()  # noqa: SIM905 - quotes around each would hide the names
}
# Options whose values `mom.curl.command` and `mom.curl.lifetime` need.
NOTED = frozenset(("max-time", "proto", "proto-redir", "rate", "retry", "retry-delay", "retry-max-time", "upload-file"))
BODIES = frozenset(
    """
    data data-ascii data-binary data-raw data-urlencode form form-string json upload-file
    """.split()  # noqa: SIM905 - quotes around each would hide the names
)

# curl prints something and ends as soon as it reads one of these.
INFORMATIONAL = frozenset(("help", "manual", "version"))
FOLLOWING = frozenset(("follow", "location", "location-trusted"))
# Since this version these two have no function any more, and curl drops the rest of their cluster.
WITHOUT_FUNCTION = ("sslv2", "sslv3")
DROPS_THE_REST = (8, 14, 1)
PROXIES = frozenset(("preproxy", "proxy", "proxy1.0", "socks4", "socks4a", "socks5", "socks5-hostname"))

# mom's own options, taken wherever curl would look for an option; the value says whether it takes one.
OWN = {
    "base-url": True,
    "mom-insecure-http": False,
    "mom-no-auth": False,
    "mom-print": False,
    "mom-token-file": True,
}

# curl accepts these and has never listed them in its help, or no longer does.
_UNLISTED = ("eprt", "epsv", "ftp-ssl", "ftp-ssl-reqd", "include", "krb4")


def parse_help(text: str) -> dict[str, bool]:
    """Return the long options that `curl --help all` lists, and whether each takes a value."""
    options = dict.fromkeys(_UNLISTED, False)
    options["krb4"] = True
    for line in text.splitlines():
        words = line.split()
        for position, word in enumerate(words[:2]):
            if word.startswith("--"):
                name = word[2:].removeprefix("no-")
                listed = words[position + 1 : position + 2]
                options[name] = name in WITH_VALUE or (
                    name not in WITHOUT_VALUE and listed[:1] != [] and listed[0][0] == "<"
                )
                break
    return options
