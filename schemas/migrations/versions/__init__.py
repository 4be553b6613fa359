"""0001, 0002 and so on: each leaves the code before it working, so that a rollout needs no stop."""
