"""Apache Kafka and PostgreSQL from pip packages, for demo and tests; production brings its own."""
