#pragma once
#include <cstdint>
#include <memory>

#include "serving/deps.h"
#include "serving/http/gate.h"

namespace millrace::serving {

// A gate that keeps the catalog's blocks. An address that abuses the server is blocked for
// `block_ms`, and one that behaves unlike itself is noticed, both by a record of the catalog, so
// that they hold on every node. Everything of `deps` must outlive the gate.
std::shared_ptr<Gate> make_gate(const Deps& deps, const GateOptions& options,
                                std::int64_t block_ms);

}  // namespace millrace::serving
