"""Decides what is set up badly, from facts that were read elsewhere: one module per kind of server."""
