"""What the API answers, one file per resource; reads.py holds all SQL."""
