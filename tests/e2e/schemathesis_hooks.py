"""What Schemathesis needs to be told to speak to Millrace."""

import os

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook
def filter_case(_context, case):
    """The administrator that the campaign runs as does not close the own account."""
    return not (case.method == "DELETE" and case.path == "/api/users/{id}/"
                and str((case.path_parameters or {}).get("id")) == os.environ["MILLRACE_ADMINISTRATOR"])
