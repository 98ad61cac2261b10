"""Consent of owners: signed commands, who may sign what, and the evidence in the journal."""
