"""mom: the command line, and the local run, of Atlas, an authenticating reverse proxy."""

__version__ = "0.1.0"
