#pragma once
#include <cstdint>
#include <string>

#include "app/config.h"
#include "app/open_log.h"
#include "processors/engine.h"
#include "processors/training/trainer.h"

namespace millrace::app {

// What the configuration says to the engine and to the trainer.
processors::EngineOptions engine_options(const ServeConfig& config, const DataFolders& folders);
processors::Trainer::Options trainer_options(const ServeConfig& config, const DataFolders& folders);

// millrace-train beside the program that this is.
std::string train_program_beside();

// `threads`; 0: as many as there are cores.
std::uint32_t or_all_cores(std::uint32_t threads);

}  // namespace millrace::app
