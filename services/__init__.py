"""Where Kesher touches the world: one folder per process."""
