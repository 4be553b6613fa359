"""One file per technology: each translates, none decides."""
