"""Lossless editing of any YAML stream. Knows nothing of Atlas.

Text is never emitted again from a tree: an edit is a few splices of the original text, computed from parser events. A
new list item goes after the last leaf of the list's last item, and after comments indented deeper than the list's
dashes (they belong to that item); every other comment and blank line stays below it. A new document goes at the
stream's end. The neighbour's style is copied: dash column, dash gap, child step, key order, blank lines between items,
flow or block, quotes, line endings. What is removed takes its own comments along (`mom.yamledit.remove`); a value that
is replaced keeps its quotes (`mom.yamledit.replace`). Documents that an edit is not about are never parsed: `---` or
`...` at column 0, followed by white space or the line's end, is a document marker in all YAML (1.2.2, section 9.1.2),
so their limits are known without reading them.

An operation (`mom.yamledit.operations`) has two faces, the splices and what must be read afterwards; the proof
(`mom.yamledit.prove`) compares the two. A splice that changes a line which the edit is not about says why.
"""
