#pragma once
#include "tests/support/http_client.h"
#include "tests/support/oracle.h"

namespace millrace {

// A running server's whole state against the oracle's, over HTTP; what differs fails the test.
void expect_items(HttpClient& http, const Oracle& oracle);
// The newest entries of every history, in order, and its length by the counts of the profile.
void expect_histories(HttpClient& http, const Oracle& oracle);
// The end of every partition's log has been applied: asked of the server itself.
void wait_applied(HttpClient& http);

}  // namespace millrace
