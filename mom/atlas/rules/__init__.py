"""The rules of an Atlas configuration: a catalogue of them, and the checks that use it."""
