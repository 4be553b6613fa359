"""What Kesher thinks: scoring, replay, simulation, and the lane that runs them on Kafka."""
