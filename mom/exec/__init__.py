"""`mom exec`: a program with what its SDKs need to reach APIs through a gateway, and no credential of an API.

`variables` knows which variables those are; `gateway` asks a gateway what it serves and waits until it trusts a key;
`child` runs the program and passes on signals and its exit status.
"""
