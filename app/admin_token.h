#pragma once
#include <string>

#include "base/result.h"
#include "ingest/event_log.h"
#include "processors/engine.h"
#include "schemas/uuid7.h"

namespace millrace::app {

// Makes the configuration's admin token the credential of a real account with role admin (user name
// `admin`, where that is free), and ends one that an earlier configuration had. Empty: there is
// none. Waits until readers see it.
Status put_admin_token(const std::string& token, processors::Engine& engine, ingest::EventLog& log,
                       Uuid7Minter& ids);

}  // namespace millrace::app
