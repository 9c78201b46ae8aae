"""The smoke test of a gateway's adapters: one signed request each, and what went wrong where.

`smoke` decides which request proves an adapter's credential; `credentials` finds what is wrong before anything is
sent; `exchange` sends it; `diagnosis` says, from the response alone, which stage failed and what to do; `own_gateway`
starts a gateway where none runs; `check` puts them together, all adapters in parallel.
"""
