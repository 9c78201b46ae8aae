"""What single values of a configuration may be: names, URLs, headers, references, credentials. Pure functions."""
