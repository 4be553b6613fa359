"""The web door: the public API, the live stream and the console, from Postgres and the fact topics."""
