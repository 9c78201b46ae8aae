"""Who the user is, and proving it to a gateway.

`store` knows where private files live and how they are read and replaced; `keys` makes, rotates and publishes this
user's signing keys; `base_url` reads addresses of gateways; `tokens` mints and reads access tokens (RFC 7515,
RFC 7519); `sources` decides whose token is sent; `inspection` says in values what would be sent and what a token holds.

`mom curl` imports from here on every run: modules import late what costs milliseconds (cryptography, json, typing).
"""
