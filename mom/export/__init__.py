"""An Atlas as files for other machines: Envoy's own, and what engines need around them.

What they run is what `mom atlas run` runs: the resources are those of `mom.envoy`, translated once and nowhere else.
No file has the value of a variable, a private key, or a path of the machine that writes it; equal input gives equal
bytes.
"""
