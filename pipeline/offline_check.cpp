#include "pipeline/offline_check.hpp"

#include "pipeline/catalog_audit.hpp"
#include "pipeline/store_check.hpp"

namespace musetalk::pipeline {

store_report check_offline(const std::filesystem::path& root, timestamp_us failed_since,
                           bool deep) {
  auto layout = store_layout{root};
  auto options = store_check_options{};
  options.deep = deep;
  return check_store(layout, read_claims(layout.catalog(), failed_since), options);
}

} // namespace musetalk::pipeline
