"""The OCI data plane: everything under /v2, and the token service. One noun a file; routes.py is the table of
contents.
"""
