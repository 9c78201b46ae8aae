"""Edits of an Atlas configuration: operations, what of a file they need, the style they follow, and their proof."""
