"""An Atlas configuration as an Envoy configuration: values in, JSON-able dictionaries out.

`translate`, and one module per subject of an Envoy configuration. No file is read here and no variable looked up;
`mom.run` and the exports share it.

Envoy is the whole data path. Everything that keeps a credential safe is therefore a field of its configuration, and
most of the fields that matter are not the default; each is set in one place with the reason beside it.
"""
