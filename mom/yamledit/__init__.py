"""Lossless editing of any YAML stream. Knows nothing of Atlas.

Policy. Text is never emitted again from a tree: an edit is a few insertions into the original text, computed from
parser events. A new list item stands after the last leaf of the list's last item, and after comments indented
deeper than the list's dashes (they belong to that item); every other comment and blank line stays below it. A new
document stands at the stream's end. The neighbour's style is copied: dash column, dash gap, child step, key order,
blank lines between items, flow or block, quotes, line ends. Documents that nobody asks for are never parsed: `---`
or `...` at column 0, followed by white space or the line's end, is a document marker in all YAML (1.2.2, section
9.1.2), so their limits are known without reading them. The only lines that an edit may change are listed in
`mom.yamledit.insert`.
"""
