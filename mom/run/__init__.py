"""The Envoy process that serves an Atlas configuration: find it, start, reload, drain and end it.

`plan` reads everything that a run depends on into one value; `serve` runs a process that serves it. Envoy's
configuration comes from `mom.envoy`.
"""
