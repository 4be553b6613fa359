"""The database's history, one numbered file a step, forwards only.  `kesher migrate` applies them."""
