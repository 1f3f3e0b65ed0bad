#pragma once

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace musetalk::tests {

/// Holds answers of the running service to what its own `/openapi.json` says.
class api_contract {
public:
  explicit api_contract(nlohmann::json document) : document_(std::move(document)) {}

  /// What about an answer is not documented: its call, its status, its type, a member of its body,
  /// a code. Paths that are nobody's are passed over, since nothing can be said of them.
  std::vector<std::string> faults_of(const httplib::Request& in,
                                     const httplib::Response& out) const;

private:
  const nlohmann::json* path_of(const std::string& path) const;
  nlohmann::json document_;
};

} // namespace musetalk::tests
