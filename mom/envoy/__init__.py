"""An Atlas configuration as an Envoy configuration, and the Envoy process that serves it.

Two halves. The translation (`translate`, and one module per subject of an Envoy configuration) is pure: values in,
JSON-able dictionaries out, no file read and no variable looked up; `mom atlas run` and the exports share it. The run
(`serve` and what it uses) is the process: find Envoy, hand it the variables it may see, start, reload, drain, end.

Envoy is the whole data path. Everything that keeps a credential safe is therefore a field of its configuration, and
most of the fields that matter are not the default; each is set in one place with the reason beside it.
"""
