"""What answers below each path; one module a subject."""
