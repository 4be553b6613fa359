"""Every Prometheus metric, named once: name, what it counts, its labels."""
