"""The projector: facts and the low-volume inputs, from Kafka into Postgres, each exactly once."""
