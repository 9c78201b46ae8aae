"""Who the user is, and proving it to a gateway.

`store` knows where private files are and how they are read and replaced; `jwk` has the form and the arithmetic of keys;
`keys` creates, rotates and publishes this user's; `base_url` parses addresses of gateways; `tokens` signs and parses
access tokens (RFC 7515, RFC 7519); `sources` decides whose token is sent; `inspection` says what is wrong with a token,
`status` which identity would be used.

`mom curl` imports from here on every run: modules import late what costs milliseconds (cryptography, json, typing).
"""
