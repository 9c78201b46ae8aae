"""What an Atlas configuration means: model, schemas, validation, environment references, changes."""
