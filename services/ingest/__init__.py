"""Where events come in by HTTP: Segment's calls and CloudEvents, answered once Kafka has them."""
