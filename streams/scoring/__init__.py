"""Pure scoring: rows and instants in, decisions out.  No clock, no I/O, no framework."""
