#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/result.h"

namespace millrace::app {

// One setting of ServeConfig: everything that flags, environment, file and printing need to know.
struct Option {
  std::string key;   // in the TOML file: "port", or "http.threads" for threads in [http]
  std::string help;  // one line
  std::function<Status(ServeConfig&, std::string_view)> set;  // kInvalid: what the text must be
  std::function<std::string(const ServeConfig&)> print;       // as TOML value
  bool secret = false;
  bool table = false;     // a TOML table of free names: set takes "name=value", print whole lines
  std::string flag = {};  // when it is not made from the key: "log"; of a table, what adds one row
  std::string variable = {};  // of the environment, when it is not made from the key
};

// Every option, those without a table first, each table's together.
std::vector<Option> serve_options();

std::string flag_of(const Option& option);      // "--http-threads"
std::string variable_of(const Option& option);  // "MILLRACE_HTTP_THREADS"
std::string table_of(const Option& option);     // "http", or "" outside of tables

}  // namespace millrace::app
