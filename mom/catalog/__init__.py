"""The catalog: APIs that mom knows, each a small YAML file in `apis/`, and what can be done with one.

`loader` finds and reads entries, `integration` says what an entry is, `adapter` turns one into an HTTP adapter,
`tokens` compares credentials with the form that the vendor documents, `snippets` writes the calls a user can paste.
Everything is pure but the loader, which reads files of this package. An entry is checked against
`schemas/integration.schema.json` by the tests, not when it is read.
"""
