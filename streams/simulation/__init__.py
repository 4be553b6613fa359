"""Seeded customers: who they are, how they live, and four stories worth watching.

Pure: the same arguments give the same bytes, whatever the process, the day or the machine."""
