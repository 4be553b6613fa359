"""Apache Kafka and PostgreSQL from pip packages, for `kesher up`, `kesher demo` and the tests; production brings its own."""
