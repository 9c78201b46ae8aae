"""Who the user is, and proving it to a gateway.

`store` knows where private files live and how they are read and replaced; `keys` makes, rotates and publishes this
user's signing keys; `gateway` reads base URLs; `tokens` mints and reads access tokens (RFC 7515, RFC 7519); `sources`
decides whose token is sent; `report` says in values what would be sent and what a token holds.

`mom curl` imports from here on every run: modules import late what costs milliseconds (cryptography, json, typing).
"""
