"""The venue as a service: one writer, views from snapshots, a stream, and a dashboard."""
