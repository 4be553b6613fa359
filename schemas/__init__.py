"""What Kesher promises: events, facts, topics, metrics, tables and HTTP bodies."""
