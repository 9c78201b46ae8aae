"""The Envoy process that serves an Atlas configuration: find it, start, reload, drain and end it.

`plan` reads everything that a run depends on into one value; `serve` keeps a process that serves it. What Envoy is told
is made by `mom.envoy`.
"""
